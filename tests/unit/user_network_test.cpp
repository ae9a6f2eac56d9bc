// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What user-mode networks lead to the host, by their options.
#include "engines/user_network.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace jail_ai {
namespace {

// Words with a space between them, as /proc/PID/cmdline has them.
std::string command_line(std::string words) {
    for (char& one : words)
        if (one == ' ') one = '\0';
    return words + '\0';
}

// "ADDRESS ADDRESS | -T 4000 | -U auto!", with "!" for every port.
std::string text_of(const UserNetwork& network) {
    std::string text;
    for (const IpPrefix& address : network.mapped) text += address.to_string() + " ";
    for (const LoopbackForward& forward : network.forwards)
        text += fmt::format("| {}{} ", forward.option, forward.every_port ? "!" : "");
    if (!text.empty()) text.pop_back();
    return text;
}

constexpr const char* kClosed = "-t none -u none -T none -U none --no-map-gw --netns /run/netns/a";

}  // namespace

TEST_CASE("user-mode network: helpers by the names of their processes") {
    for (const char* name : {"pasta", "pasta.avx2", "passt", "passt.avx2"})
        CHECK(helper_named(name) == NetworkHelper::pasta);
    CHECK(helper_named("slirp4netns") == NetworkHelper::slirp4netns);
    for (const char* name : {"", "past", "pastafarian", "slirp4netns2", "podman"})
        CHECK(helper_named(name) == NetworkHelper::none);
}

TEST_CASE("user-mode network: slirp4netns") {
    struct Row {
        const char* words;
        const char* text;
    };
    for (const Row& row :
         {Row{"slirp4netns --mtu=65520 --enable-sandbox -c -r 3 -e 4 --netns-type=path "
              "/run/netns/a tap0",
              ""},
          Row{"slirp4netns --cidr=10.5.0.0/24 /run/netns/a tap0", "10.5.0.2"},
          Row{"slirp4netns --cidr 10.5.7.0/16 x tap0", "10.5.0.2"},
          Row{"slirp4netns --ci=10.5.0.128/25 x tap0", "10.5.0.130"},
          Row{"slirp4netns --cidr=x x tap0", ""}, Row{"slirp4netns --cidr=10.5.0.0 x tap0", ""},
          Row{"slirp4netns --cidr=10.5.0.0/99 x tap0", ""}, Row{"slirp4netns --cidr", ""}})
        CHECK_MESSAGE(
            text_of(read_helper(NetworkHelper::slirp4netns, command_line(row.words))) == row.text,
            row.words);
}

TEST_CASE("user-mode network: pasta") {
    struct Row {
        const char* words;
        const char* text;
    };
    for (const Row& row :
         {Row{"", ""}, Row{"--map-host-loopback 198.18.0.9", "198.18.0.9"},
          Row{"--map-host-loopback=198.18.0.9 --map-guest-addr fd00::9", "198.18.0.9 fd00::9"},
          Row{"--map-host 198.18.0.9 --map-gu=198.18.0.8", "198.18.0.9 198.18.0.8"},
          Row{"--map-host-loopback none", ""},
          Row{"-g 198.18.0.1 --gateway fe80::1 -qg198.18.0.2", "198.18.0.1 fe80::1 198.18.0.2"},
          Row{"-T 4000", "| -T 4000"},
          Row{"-T4000 -U5000-5001,6000:7000", "| -T 4000 | -U 5000-5001,6000:7000"},
          Row{"-qT 127.0.0.1/4000", "| -T 127.0.0.1/4000"},
          Row{"--tcp-ns=auto --udp-ns all", "| -T auto! | -U all!"}, Row{"-T ~4000", "| -T ~4000!"},
          Row{"-T 4000,auto", "| -T 4000,auto!"}, Row{"-t auto -u auto", ""}}) {
        const std::string words = fmt::format("pasta {} {}", row.words, kClosed);
        CHECK_MESSAGE(text_of(read_helper(NetworkHelper::pasta, command_line(words))) == row.text,
                      words);
    }
}

TEST_CASE(
    "user-mode network: pasta that isn't told what to forward forwards all, podman asks it not "
    "to") {
    CHECK(text_of(read_helper(NetworkHelper::pasta, command_line("pasta --config-net 1234"))) ==
          "| -T auto! | -U auto!");
    CHECK(
        text_of(read_helper(NetworkHelper::pasta, command_line("pasta -T none --udp-ns=none 1234")))
            .empty());
    CHECK(text_of(read_helper(NetworkHelper::pasta, command_line("pasta -T4000 1234"))) ==
          "| -T 4000 | -U auto!");
    CHECK(text_of(read_helper(NetworkHelper::pasta, "")) == "| -T auto! | -U auto!");
}

TEST_CASE("user-mode network: podman's own command line") {
    struct Row {
        const char* words;
        const char* text;
    };
    for (const Row& row :
         {Row{"podman run image", ""},
          Row{"podman run --network=pasta:--map-host-loopback,198.18.0.9,-T,4000 image",
              "198.18.0.9 | -T 4000"},
          Row{"podman run --net pasta:-U,auto image", "| -U auto!"},
          Row{"podman run --net=slirp4netns:allow_host_loopback=true,cidr=10.5.0.0/24 image",
              "10.5.0.2"},
          Row{"podman run --network pasta image", ""},
          Row{"podman run --network bridge:ip=10.88.0.9 image", ""}})
        CHECK_MESSAGE(text_of(read_podman(command_line(row.words))) == row.text, row.words);
}

TEST_CASE("user-mode network: whose it is") {
    const std::string by_word = command_line("pasta --netns /run/netns/a");
    CHECK(carries(by_word, "/run/netns/a"));
    CHECK(carries(command_line("pasta --netns=/run/netns/a"), "/run/netns/a"));
    CHECK_FALSE(carries(by_word, "/run/netns/b"));
    CHECK_FALSE(carries(by_word, "/netns/a"));
    CHECK_FALSE(carries(by_word, ""));
    CHECK(carries(by_word, "/proc/77/ns/net"));
}

}  // namespace jail_ai
