// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What crun leaves open, read off its command line and environment.
#include "engines/runtime_arguments.h"

#include <doctest/doctest.h>

#include <climits>
#include <string>

using jail_ai::descriptors_left_by_crun;

TEST_CASE("runtime arguments: --preserve-fds in each spelling, and LISTEN_FDS") {
    using namespace std::string_literals;
    struct Case {
        std::string command_line;
        std::string environment;
        int left;
    };
    for (const Case& c :
         {Case{"", "", 0}, Case{"crun\0create\0--bundle\0/b\0id\0"s, "PATH=/bin\0"s, 0},
          Case{"crun\0create\0--preserve-fds=2\0id\0"s, "", 2},
          Case{"crun\0create\0--preserve-fds\0"
               "2\0id\0"s,
               "", 2},
          Case{"crun\0run\0--preserve=1\0id"s, "LISTEN_FDS=3\0"s, 4},
          Case{"crun\0run\0id\0"s, "XLISTEN_FDS=9\0LISTEN_FDS=1\0LISTEN_FDSX=7"s, 1},
          Case{"crun\0--pid-file\0--p\0id\0"s, "", 0}, Case{"crun\0--preserve-fds\0"s, "", INT_MAX},
          Case{"crun\0--preserve-fds=\0"s, "", INT_MAX},
          Case{"crun\0--preserve-fds=2x\0"s, "", INT_MAX},
          Case{"crun\0--preserve-fds=-1\0"s, "LISTEN_FDS=1"s, INT_MAX},
          Case{"crun\0--preserve-fds=99999999999\0"s, "", INT_MAX}})
        CHECK_MESSAGE(descriptors_left_by_crun(c.command_line, c.environment) == c.left,
                      c.command_line);
}
