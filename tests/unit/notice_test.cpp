// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container is given to read about its jail, and that nothing else of a proposed config.json
// changes.
#include "container/notice.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "container/json.h"
#include "container/json_part.h"
#include "data_file.h"
#include "request_of.h"

using namespace jail_ai;

namespace {

constexpr const char* kHostFile = "/usr/share/jail-ai-hook/notice.md";

Request request(Annotations annotations = {}) {
    annotations.emplace("jail-ai.block-host", "true");
    return request_of(annotations).value();
}

Result<std::string> noticed(std::string_view text, std::string_view file = kHostFile,
                            RootFiles root = RootFiles::writable) {
    const auto config = parse_json_object(text);
    REQUIRE_MESSAGE(config, config.error().message);
    return add_notice(*config, text, request(), file, root);
}

const std::string kBind =
    R"({"destination":"/run/jail-ai-hook.md","type":"bind","source":"/usr/share/jail-ai-hook/notice.md","options":["bind","ro","nosuid","nodev","noexec","rprivate"]})";
const std::string kVariable = json_string("JAIL_AI_NOTICE=" + notice_text(request(), true));
const std::string kVariableAlone = json_string("JAIL_AI_NOTICE=" + notice_text(request(), false));

bool binds(const std::string& text) {
    return text.find(kBind) != std::string::npos;
}

}  // namespace

TEST_CASE("notice: one line that says what is denied, what is allowed, and whom to ask") {
    CHECK(notice_text(request(), true) ==
          "This container cannot connect to the machine that it runs on: calls fail with EPERM "
          "(Operation not permitted), and trying again does not help. Nothing is allowed there but "
          "DNS. To change that, ask the person who runs the container (annotation "
          "jail-ai.block-host.allow=ADDRESS:PORT). More: /run/jail-ai-hook.md");
    const auto text = [](const Annotations& annotations) {
        return notice_text(request(annotations), false);
    };
    const auto holds = [](const std::string& whole, std::string_view part) {
        return whole.find(part) != std::string::npos;
    };
    CHECK(holds(text({{"jail-ai.block-host.dns", "off"}}), " Nothing is allowed there. To"));
    const std::string both = text({{"jail-ai.block-host.allow", "host:11434,[fd00::1]:53/udp"},
                                   {"jail-ai.block-host.also", "private 192.0.2.0/24"},
                                   {"jail-ai.block-host.dns", "off"}});
    CHECK(holds(both,
                " Allowed there: host:11434, [fd00::1]:53/udp. Also denied: private, "
                "192.0.2.0/24. To"));
    CHECK(both.ends_with("ADDRESS:PORT)."));
    CHECK(holds(text({{"jail-ai.block-host.allow", "host:1"}}), " Allowed there: DNS, host:1."));
    CHECK(holds(text({{"jail-ai.block-host.errno", "EHOSTUNREACH"}}),
                ": calls fail with EHOSTUNREACH (No route to host), and"));
    std::string many;
    for (int port = 1; port <= 256; ++port) many += fmt::format("host:{} ", port);
    CHECK(holds(text({{"jail-ai.block-host.allow", many}}), ", host:16 and 240 more."));
}

TEST_CASE("notice: variable and file are added, and every other byte stays") {
    struct Case {
        const char* what;
        std::string before, after;
    };
    const std::string in_array = R"({"process":{"env":["A=b" , "C=d"
 ]},"mounts" : [ {"destination":"/proc"} ], "x":1e300})";
    for (const Case& c :
         {Case{"behind what is there", in_array,
               R"({"process":{"env":["A=b" , "C=d"
 ,)" + kVariable + R"(]},"mounts" : [ {"destination":"/proc"} ,)" +
                   kBind + R"(], "x":1e300})"},
          Case{"where nothing is", R"({"process":{"env":[]},"mounts":[]})",
               R"({"process":{"env":[)" + kVariable + R"(]},"mounts":[)" + kBind + "]}"},
          Case{"where the lists are missing", R"({"process":{}})",
               R"({"process":{"env":[)" + kVariable + R"(]},"mounts":[)" + kBind + "]}"},
          Case{"where they are null", R"({"process":{"env":null},"mounts":null})",
               R"({"process":{"env":[)" + kVariable + R"(]},"mounts":[)" + kBind + "]}"},
          Case{"no process to give a variable to", " {} \n",
               R"( {"mounts":[)" + kBind + "]} \n"}}) {
        INFO(c.what);
        CHECK(noticed(c.before).value() == c.after);
        CHECK(noticed(c.after).value() == c.after);
    }
}

TEST_CASE("notice: an engine's config.json gets both, and again nothing") {
    for (const char* name : {"config/podman-4.3-default.json", "config/podman-5.4-default.json"}) {
        INFO(name);
        const std::string text = data_file(name);
        const std::string once = noticed(text).value();
        CHECK(once.size() == text.size() + kVariable.size() + kBind.size() + 2);
        CHECK(noticed(once).value() == once);
        CHECK(noticed(once, "").value() == once);
    }
}

TEST_CASE("notice: a variable of that name stays as it is") {
    const std::string text = R"({"process":{"env":["JAIL_AI_NOTICE=mine"]}})";
    CHECK(noticed(text, "").value() == text);
    CHECK(noticed(R"({"process":{"env":["JAIL_AI_NOTICES=no", 1]}})", "").value() ==
          R"({"process":{"env":["JAIL_AI_NOTICES=no", 1,)" + kVariableAlone + "]}}");
}

TEST_CASE("notice: a file only where the runtime makes it in nothing that remains") {
    struct Case {
        const char* mount;
        bool has_file;
    };
    for (const Case& c : {
             Case{R"({"destination":"/run","type":"tmpfs","options":["nosuid"]})", true},
             Case{R"({"destination":"/run","type":"tmpfs","options":["ro"]})", false},
             Case{R"({"destination":"/run","type":"bind","source":"/srv"})", false},
             Case{R"({"destination":"//run/.","type":"bind","source":"/srv"})", false},
             Case{R"({"destination":"/var/run/","type":"bind","source":"/srv"})", false},
             Case{R"({"destination":"/","type":"bind","source":"/srv"})", false},
             Case{R"({"destination":"/run/jail-ai-hook.md","type":"bind","source":"/a"})", false},
             Case{R"({"destination":"/run/jail-ai-hook.md","type":"tmpfs"})", false},
             Case{R"({"destination":"/run/.containerenv","type":"bind","source":"/a"})", true},
             Case{R"({"destination":"/var","type":"bind","source":"/srv"})", true},
             Case{R"({"destination":"/running","type":"bind","source":"/srv"})", true},
         }) {
        INFO(c.mount);
        const std::string text =
            noticed(fmt::format(R"({{"process":{{}},"mounts":[{}]}})", c.mount)).value();
        CHECK(binds(text) == c.has_file);
        CHECK((text.find(kVariable) != std::string::npos) == c.has_file);
        CHECK((text.find(kVariableAlone) != std::string::npos) == !c.has_file);
    }
    CHECK_FALSE(binds(noticed(R"({"process":{}})", "").value()));
}

TEST_CASE("notice: with a read-only root a file only in a tmpfs") {
    const auto has_file = [](std::string_view mounts) {
        const std::string text = noticed(fmt::format(R"({{"process":{{}},"mounts":[{}]}})", mounts),
                                         kHostFile, RootFiles::read_only)
                                     .value();
        CHECK((text.find(kVariable) != std::string::npos) == binds(text));
        return binds(text);
    };
    CHECK_FALSE(has_file(""));
    CHECK(has_file(R"({"destination":"/run","type":"tmpfs"})"));
    CHECK(has_file(R"({"destination":"/","type":"tmpfs"})"));
    CHECK_FALSE(has_file(R"({"destination":"/var/run","type":"tmpfs"})"));
    CHECK_FALSE(has_file(R"({"destination":"/tmp","type":"tmpfs"})"));
    CHECK_FALSE(has_file(R"({"destination":"/run","type":"tmpfs","options":["ro"]})"));
}

TEST_CASE("notice: what has not its type is an error") {
    for (const char* text : {R"({"process":[]})", R"({"process":{"env":{}}})", R"({"mounts":{}})",
                             R"({"mounts":[1]})"}) {
        INFO(text);
        const auto failed = noticed(text);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().exit_code == EX_DATAERR);
    }
}
