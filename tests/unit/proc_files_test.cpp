// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What files of proc(5) say of processes and sockets.
#include <doctest/doctest.h>

#include <string>

#include "doctor/listening.h"
#include "system/process_status.h"

using namespace jail_ai;

TEST_CASE("proc: a field is its whole name, and a number behind it") {
    CHECK(number_after("pos:\t0\nPid:\t17\nNSpid:\t17\n", "\nPid:\t") == 17);
    CHECK(number_after("Name:\tx\nPPid:\t1\n", "\nPid:\t") == std::nullopt);
    CHECK(number_after("pos:\t0\nPid:\t-1\n", "\nPid:\t") == -1);
    CHECK(number_after("pos:\t0\nPid:\t", "\nPid:\t") == std::nullopt);
    CHECK(number_after("pos:\t0\nPid:\t99999999999\n", "\nPid:\t") == std::nullopt);
    CHECK(number_after("", "\nPid:\t") == std::nullopt);
}

TEST_CASE("proc: the first of a PID namespace is number 1 in the innermost one") {
    CHECK(is_first_of_pid_namespace("Name:\tx\nNSpid:\t40\t1\nNSsid:\t9\n") == true);
    CHECK(is_first_of_pid_namespace("Name:\tx\nNSpid:\t1\t40\n") == false);
    CHECK(is_first_of_pid_namespace("Name:\tx\nNSpid:\t40\t21\n") == false);
    CHECK(is_first_of_pid_namespace("Name:\tx\nNSpid:\t1") == true);
    CHECK(is_first_of_pid_namespace("Name:\tx\n") == std::nullopt);
}

TEST_CASE("proc: somebody listens at a path who has bound that very path") {
    const std::string path = "/run/jail-ai-hook.sock";
    const auto socket = [&](const std::string& flags, const std::string& bound) {
        return "Num       RefCount Protocol Flags    Type St Inode Path\n"
               "0000000000000000: 00000002 00000000 " +
               flags + " 0001 01   431 " + bound + "\n";
    };
    CHECK(is_listened_at(socket("00010000", path), path));
    CHECK_FALSE(is_listened_at(socket("00000000", path), path));
    CHECK_FALSE(is_listened_at(socket("00010000", "/tmp" + path), path));
    CHECK_FALSE(is_listened_at(socket("00010000", "/tmp/x " + path), path));
    CHECK_FALSE(is_listened_at(socket("00010000", "@" + path), path));
    CHECK_FALSE(is_listened_at(socket("00010000", ""), path));
    CHECK_FALSE(is_listened_at("", path));
}
