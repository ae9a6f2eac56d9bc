// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The container state, as runtimes write it and as nobody should.
#include "container/state.h"

#include "container/json.h"
#include "data_file.h"

using namespace jail_ai;

TEST_CASE("state: what each engine and runtime writes is read") {
    struct Case {
        const char* file;
        const char* id_prefix;
        std::size_t annotations;
    };
    for (const Case& c :
         {Case{"podman-4.3-crun-1.8", "3d6abebc", 9}, Case{"podman-4.3-runc-1.1", "55357a39", 9},
          Case{"podman-4.3-pod-runc-1.1", "db210337", 11},
          Case{"podman-5.4-crun-1.21", "7b1f0c1d", 6}, Case{"crio-runc", "e3b0c442", 7}}) {
        INFO(c.file);
        const auto state = parse_state(data_file(std::string("state/") + c.file + ".json"));
        REQUIRE(state);
        CHECK(state->id.starts_with(c.id_prefix));
        CHECK(state->pid > 0);
        CHECK(state->bundle.ends_with("/userdata"));
        CHECK(state->annotations.size() == c.annotations);
        CHECK(state->annotations.at("jail-ai.block-host") == "true");
    }
}

TEST_CASE("state: any status word and unknown keys are taken, escapes are decoded") {
    const auto state = parse_state(
        R"({"ociVersion":"9","id":"\u0061","pid":1,"bundle":"/b","status":"dreaming","new":[{"x":1e400000}],"annotations":{"k":"\"\n\u20ac"}})");
    CHECK_FALSE(state);  // 1e400000 is too big for a double
    const auto sane = parse_state(
        R"({"id":"\u0061","pid":4194304,"bundle":"/b","status":"dreaming","new":[{"x":[]}],"annotations":{"k":"\"\n\u20ac"}})");
    REQUIRE(sane);
    CHECK(sane->id == "a");
    CHECK(sane->pid == 4194304);
    CHECK(sane->annotations.at("k") == "\"\n\xe2\x82\xac");
}

TEST_CASE("state: each thing wrong with it has its own message") {
    struct Case {
        std::string json;
        const char* message;
    };
    const std::string good = R"("id":"c","pid":1,"bundle":"/b","annotations":{})";
    const Case cases[] = {
        {"", "empty, not a JSON object"},
        {" \n", "empty, not a JSON object"},
        {"{", "not JSON: byte 1: Missing a name for object member"},
        {"{" + good + "} trailing", "not JSON: byte"},
        {"{" + good + "}{}", "not JSON: byte"},
        {"{" + good + "}" + std::string(1, 0), "not JSON: byte"},
        {"\xff\xfe", "not JSON: byte 0: Invalid value"},
        {"{\"id\":\"\xc3\x28\"}", "Invalid encoding in string"},
        {"[]", "an array, not an object"},
        {"null", "null, not an object"},
        {R"({"pid":1,"bundle":"/b","annotations":{}})", "key 'id' is missing"},
        {R"({"id":"c","bundle":"/b","annotations":{}})", "key 'pid' is missing"},
        {R"({"id":"c","pid":1,"annotations":{}})", "key 'bundle' is missing"},
        {R"({"id":null,"pid":1,"bundle":"/b","annotations":{}})", "key 'id' is missing"},
        {R"({"id":"c","pid":null,"bundle":"/b","annotations":{}})", "'pid' is null, not a number"},
        {R"({"id":"c","pid":1,"bundle":"/b","Annotations":{}})",
         "key 'Annotations' is 'annotations' to some runtimes"},
        {R"({"id":7,"pid":1,"bundle":"/b","annotations":{}})", "'id' is a number, not a string"},
        {R"({"id":"","pid":1,"bundle":"/b","annotations":{}})", "'id' is empty"},
        {R"({"id":"c","pid":"1","bundle":"/b","annotations":{}})",
         "'pid' is a string, not a number"},
        {R"({"id":"c","pid":true,"bundle":"/b","annotations":{}})",
         "'pid' is a boolean, not a number"},
        {R"({"id":"c","pid":0,"bundle":"/b","annotations":{}})",
         "'pid' is not a whole number from 1 to 4194304"},
        {R"({"id":"c","pid":-1,"bundle":"/b","annotations":{}})",
         "'pid' is not a whole number from 1 to 4194304"},
        {R"({"id":"c","pid":1.5,"bundle":"/b","annotations":{}})",
         "'pid' is not a whole number from 1 to 4194304"},
        {R"({"id":"c","pid":4194305,"bundle":"/b","annotations":{}})",
         "'pid' is not a whole number from 1 to 4194304"},
        {R"({"id":"c","pid":4294967297,"bundle":"/b","annotations":{}})",
         "'pid' is not a whole number from 1 to 4194304"},
        {R"({"id":"c","pid":18446744073709551617,"bundle":"/b","annotations":{}})",
         "'pid' is not a whole number from 1 to 4194304"},
        {R"({"id":"c","pid":1,"pid":2,"bundle":"/b","annotations":{}})", "duplicate key 'pid'"},
        {R"({"id":"c","pid":1,"bundle":"b","annotations":{}})",
         "'bundle' is 'b', not an absolute path"},
        {R"({"id":"c","pid":1,"bundle":"/b\u0000","annotations":{}})",
         "'bundle' is '/b\\x00', not an absolute path"},
        {R"({"id":"c","pid":1,"bundle":"/b","annotations":[]})",
         "'annotations' is an array, not an object"},
        {R"({"id":"c","pid":1,"bundle":"/b","annotations":{"k":1}})",
         "annotation 'k' is a number, not a string"},
        {R"({"id":"c","pid":1,"bundle":"/b","annotations":{"k":"","k":""}})",
         "duplicate annotation 'k'"},
        {R"({"id":"c","a":)" + std::string(100, '[') + std::string(100, ']') + "}",
         "nested deeper than 64 levels"},
        {std::string(100000, '['), "nested deeper than 64 levels"},
    };
    for (const Case& c : cases) {
        INFO(c.json.substr(0, 120));
        const auto state = parse_state(c.json);
        REQUIRE_FALSE(state);
        CHECK(state.error().exit_code == EX_DATAERR);
        CHECK_MESSAGE(state.error().message.find(c.message) != std::string::npos,
                      state.error().message);
        CHECK(state.error().message.find('\n') == std::string::npos);
    }
}

TEST_CASE("state: no annotations are none, however that is written") {
    for (const char* tail : {"}", R"(,"annotations":null})", R"(,"annotations":{}})"}) {
        CAPTURE(tail);
        const auto state = parse_state(std::string(R"({"id":"c","pid":1,"bundle":"/b")") + tail);
        REQUIRE(state);
        CHECK(state->annotations.empty());
    }
    const auto annotations_in = [](const char* config) {
        return read_annotations(parse_json_object(config).value());
    };
    CHECK(annotations_in("{}")->empty());
    CHECK(annotations_in(R"({"annotations":null})")->empty());
    for (const char* wrong : {R"({"annotations":"none"})", R"({"annotations":{"a":5}})",
                              R"({"annotations":{},"annotations":{}})"})
        CHECK_FALSE(annotations_in(wrong));
}
