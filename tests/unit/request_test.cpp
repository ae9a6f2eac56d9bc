// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What annotations ask for, and what is refused rather than ignored.
#include "container/request.h"

#include <doctest/doctest.h>

using namespace jail_ai;

TEST_CASE("request: true enforces, false does nothing") {
    CHECK(parse_request({{"jail-ai.block-host", "true"}})->mode == Mode::enforce);
    CHECK(parse_request({{"jail-ai.block-host", "false"}, {"other", "x"}})->mode == Mode::off);
}

TEST_CASE("request: anything else under the prefix is refused with its name") {
    struct Case {
        Annotations annotations;
        const char* message;
    };
    const Case cases[] = {
        {{}, "no annotation jail-ai.block-host"},
        {{{"jail-ai", "true"}, {"jail-bi.block-host", "true"}}, "no annotation jail-ai.block-host"},
        {{{"jail-ai.block-host", "True"}}, "annotation jail-ai.block-host: 'True' is neither 'true' nor 'false'"},
        {{{"jail-ai.block-host", "1"}}, "'1' is neither"},
        {{{"jail-ai.block-host", ""}}, "'' is neither"},
        {{{"jail-ai.block-host", "true\n"}}, "'true\\x0a' is neither"},
        {{{"jail-ai.block-host", "true"}, {"jail-ai.blok-host", "true"}}, "unknown annotation 'jail-ai.blok-host'"},
        {{{"jail-ai.block-host", "true"}, {"jail-ai.block-host.", ""}}, "unknown annotation 'jail-ai.block-host.'"},
        {{{"jail-ai.block-host", "true"}, {"jail-ai.", ""}}, "unknown annotation 'jail-ai.'"},
        {{{"jail-ai.block-host", "false"}, {"jail-ai.block-host/c1", "true"}}, "unknown annotation 'jail-ai.block-host/c1'"},
        {{{"jail-ai.block-host", "true"}, {"jail-ai.block-host.accept", " , "}}, "annotation jail-ai.block-host.accept: names no risk"},
        {{{"jail-ai.block-host", "true"}, {"jail-ai.block-host.accept", "cap_net_admin;cap_bpf"}},
         "'cap_net_admin;cap_bpf' is no risk; known are cap_net_admin"},
        {{{"jail-ai.block-host.accept", "cap_net_admin"}}, "no annotation jail-ai.block-host"},
    };
    for (const Case& c : cases) {
        INFO(c.message);
        const auto request = parse_request(c.annotations);
        REQUIRE_FALSE(request);
        CHECK(request.error().exit_code == EX_DATAERR);
        CHECK_MESSAGE(request.error().message.find(c.message) != std::string::npos, request.error().message);
    }
}

TEST_CASE("request: risks are accepted by name, separated by comma or space") {
    const auto request =
        parse_request({{"jail-ai.block-host", "true"}, {"jail-ai.block-host.accept", "cap_net_admin, host-cgroups inherited-sockets,host-pid"}});
    REQUIRE(request);
    CHECK(request->accepted == std::set{Risk::cap_net_admin, Risk::host_cgroups, Risk::inherited_sockets, Risk::host_pid});
    CHECK(parse_request({{"jail-ai.block-host", "true"}})->accepted.empty());
}
