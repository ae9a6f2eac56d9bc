// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a jailed container can and can't reach: every way of sending times every kind of
// destination.
#include <doctest/doctest.h>

#include <span>

#include "files.h"
#include "netlink.h"
#include "scene.h"

namespace jail_ai::test {
namespace {

struct Target {
    const char* what;
    const char* address;
    Place at;  // where it arrives when nothing blocks it
    jail_reason reason;
    bool datagrams_only = false;  // TCP doesn't go there anyhow
    bool on_the_link = false;     // needs a scope
};

constexpr Target kOwnNetwork[] = {
    {"the host", "10.77.0.1", Place::host, JAIL_REASON_LOCAL},
    {"the host on its other link", "10.78.0.1", Place::host, JAIL_REASON_LOCAL},
    {"the host on its loopback", "10.77.9.1", Place::host, JAIL_REASON_LOCAL},
    {"the link's broadcast address", "10.77.0.255", Place::host, JAIL_REASON_BROADCAST, true},
    {"the limited broadcast address", "255.255.255.255", Place::host, JAIL_REASON_BROADCAST, true},
    {"a multicast group", "224.0.0.251", Place::host, JAIL_REASON_MULTICAST, true},
    {"the metadata service", "169.254.169.254", Place::internet, JAIL_REASON_METADATA},
    {"slirp4netns's alias of the host", "10.0.2.2", Place::internet, JAIL_REASON_ALIAS},
    {"pasta's alias of the host", "169.254.1.2", Place::internet, JAIL_REASON_ALIAS},

    {"the host", "fd77::1", Place::host, JAIL_REASON_LOCAL},
    {"the host on its other link", "fd78::1", Place::host, JAIL_REASON_LOCAL},
    {"the host's link-local address", "fe80::77:1", Place::host, JAIL_REASON_LOCAL, false, true},
    {"the routers' anycast address", "fd77::", Place::host, JAIL_REASON_LOCAL, true},
    {"a multicast group", "ff02::fb", Place::host, JAIL_REASON_MULTICAST, true, true},
    {"the metadata service", "fd00:ec2::254", Place::internet, JAIL_REASON_METADATA},
    {"the host by NAT64", "64:ff9b::10.77.0.1", Place::internet, JAIL_REASON_LOCAL},
    {"the host by 6to4", "2002:a4d:1::1", Place::internet, JAIL_REASON_LOCAL},
    {"the host IPv4-compatible", "::10.77.0.1", Place::internet, JAIL_REASON_LOCAL},
    {"the host translated", "::ffff:0:10.77.0.1", Place::internet, JAIL_REASON_LOCAL},

    {"the host mapped", "::ffff:10.77.0.1", Place::host, JAIL_REASON_LOCAL},
    {"the host on its loopback mapped", "::ffff:10.77.9.1", Place::host, JAIL_REASON_LOCAL},
    {"the link's broadcast address mapped", "::ffff:10.77.0.255", Place::host,
     JAIL_REASON_BROADCAST, true},
    {"a multicast group mapped", "::ffff:224.0.0.251", Place::host, JAIL_REASON_MULTICAST, true},
    {"the metadata service mapped", "::ffff:169.254.169.254", Place::internet,
     JAIL_REASON_METADATA},
    {"slirp4netns's alias mapped", "::ffff:10.0.2.2", Place::internet, JAIL_REASON_ALIAS},
};

constexpr Target kHostNetwork[] = {
    {"the host", "10.77.0.1", Place::host, JAIL_REASON_LOCAL},
    {"loopback", "127.0.0.1", Place::host, JAIL_REASON_LOOPBACK},
    {"another loopback address", "127.1.2.3", Place::host, JAIL_REASON_LOOPBACK},
    {"the unspecified address", "0.0.0.0", Place::host, JAIL_REASON_UNSPECIFIED},

    {"the host", "fd77::1", Place::host, JAIL_REASON_LOCAL},
    {"loopback", "::1", Place::host, JAIL_REASON_LOOPBACK},
    {"the unspecified address", "::", Place::host, JAIL_REASON_UNSPECIFIED},

    {"loopback mapped", "::ffff:127.0.0.1", Place::host, JAIL_REASON_LOOPBACK},
    {"another loopback address mapped", "::ffff:127.1.2.3", Place::host, JAIL_REASON_LOOPBACK},
    {"the unspecified address mapped", "::ffff:0.0.0.0", Place::host, JAIL_REASON_UNSPECIFIED},
    {"the host mapped", "::ffff:10.77.0.1", Place::host, JAIL_REASON_LOCAL},
};

constexpr Target kPassing[] = {
    {"the internet", "10.78.0.2", Place::internet, {}},
    {"its own loopback", "127.0.0.1", Place::container, {}},
    {"its own other loopback address", "127.1.2.3", Place::container, {}},
    {"its own unspecified address", "0.0.0.0", Place::container, {}},
    {"its own address", "10.77.0.2", Place::container, {}},

    {"the internet", "fd78::2", Place::internet, {}},
    {"its own loopback", "::1", Place::container, {}},
    {"its own unspecified address", "::", Place::container, {}},
    {"its own address", "fd77::2", Place::container, {}},

    {"the internet mapped", "::ffff:10.78.0.2", Place::internet, {}},
    {"its own loopback mapped", "::ffff:127.0.0.1", Place::container, {}},
    {"its own unspecified address mapped", "::ffff:0.0.0.0", Place::container, {}},
};

constexpr Way kIpv4Ways[] = {
    Way::tcp_connect,       Way::udp_sendto,          Way::udp_connect,         Way::udp_sendmmsg,
    Way::udp_sendto_unspec, Way::udp_sendto_v4_on_v6, Way::udp_connect_v4_on_v6};
constexpr Way kIpv6Ways[] = {Way::tcp_connect, Way::udp_sendto, Way::udp_connect,
                             Way::udp_sendmmsg};

struct Pair {
    std::string host;
    std::string internet;
};
const Pair kBothFamilies[] = {{"10.77.0.1", "10.78.0.2"}, {"fd77::1", "fd78::2"}};

const char* control_of(const std::string& address) {
    if (address.find(':') == std::string::npos) return "10.78.0.2";
    return address.starts_with("::ffff:") && !address.starts_with("::ffff:0:") ? "::ffff:10.78.0.2"
                                                                               : "fd78::2";
}

template <typename Row>
void for_each_way(std::span<const Target> targets, Row row) {
    for (const Target& target : targets) {
        const unsigned scope =
            target.on_the_link ? Laboratory::get().network.container_interface : 0;
        const Destination to = destination(target.address, kPort, scope);
        for (const Way way : to.family() == AF_INET ? std::span<const Way>(kIpv4Ways)
                                                    : std::span<const Way>(kIpv6Ways)) {
            if (way == Way::tcp_connect && target.datagrams_only) continue;
            const std::string name = name_of(way) + " to " + target.what + " " + target.address;
            SUBCASE(name.c_str()) {
                guarded([&] { row(way, to, target); });
            }
        }
    }
}

void expect_all_blocked(Scene& scene, std::span<const Target> targets) {
    for_each_way(targets, [&](Way way, const Destination& to, const Target& target) {
        scene.expect_blocked(way, to, target.at, target.reason,
                             destination(control_of(target.address), kPort));
    });
}

// An echo request of a raw socket in the container: denied for the host, as `reason` counts, and
// not for the internet, nor to a process outside.
void expect_no_echo(Scene& scene, const std::string& host, const std::string& internet,
                    jail_reason reason) {
    INFO(host);
    const Destination to = destination(host, 0), elsewhere = destination(internet, 0);
    const DenialCounts before = denials(scene.container.cgroup);
    CHECK(error_name(scene.container.init.run([=] { return ping(to); })) == "EPERM");
    const DenialCounts after = denials(scene.container.cgroup);
    CHECK(change(before, after) == one_more(reason));
    CHECK(error_name(scene.outsider.run([=] { return ping(to); })) == "none");
    CHECK(error_name(scene.container.init.run([=] { return ping(elsewhere); })) == "none");
    CHECK(change(after, denials(scene.container.cgroup)) == "");
}

TEST_CASE("in its own network the host is out of reach") {
    expect_all_blocked(Scene::own_network(), kOwnNetwork);
}

TEST_CASE("in the host's network the host is out of reach") {
    expect_all_blocked(Scene::host_network(), kHostNetwork);
}

TEST_CASE("everything else is reached") {
    Scene& scene = Scene::own_network();
    for_each_way(kPassing, [&](Way way, const Destination& to, const Target& target) {
        scene.expect_passes(way, to, target.at);
    });
}

TEST_CASE("a raw socket's echo doesn't leave for the host") {
    for (const Pair& pair : kBothFamilies)
        expect_no_echo(Scene::own_network(), pair.host, pair.internet, JAIL_REASON_LOCAL);
}

TEST_CASE("in the host's network a raw socket's echo doesn't get to it over loopback") {
    Scene& scene = Scene::host_network();
    expect_no_echo(scene, "127.0.0.1", "10.78.0.2", JAIL_REASON_LOOPBACK);
    expect_no_echo(scene, "10.77.0.1", "10.78.0.2", JAIL_REASON_LOCAL);
    expect_no_echo(scene, "::1", "fd78::2", JAIL_REASON_LOOPBACK);
    expect_no_echo(scene, "fd77::1", "fd78::2", JAIL_REASON_LOCAL);
}

TEST_CASE("a link-local address that the host got after the start is out of reach") {
    Scene& scene = Scene::own_network();
    NetworkLab& network = Laboratory::get().network;
    {
        const Visit visit(network.host);
        Netlink().add_address("host0", "fe80::77:2/64");
    }
    const Destination to = destination("fe80::77:2", kPort, network.container_interface);
    for (const Way way : kIpv6Ways) {
        INFO(name_of(way));
        guarded([&] {
            scene.expect_blocked(way, to, Place::host, JAIL_REASON_LINK_LOCAL,
                                 destination("fd78::2", kPort));
        });
    }
}

TEST_CASE("of two datagrams in one sendmmsg, only the one to the internet leaves") {
    Scene& scene = Scene::own_network();
    Witness& witness = Laboratory::get().network.witness;
    const Destination internet = destination("10.78.0.2", kPort);
    const Destination host = destination("10.77.0.1", kPort);
    const Token first = fresh_token(), second = fresh_token(), free_first = fresh_token(),
                free_second = fresh_token();
    const DenialCounts before = denials(scene.container.cgroup);
    CHECK(scene.container.init.run([=] { return send_two(internet, first, host, second); }) == 1);
    CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOCAL));
    CHECK(arrival(first, Place::internet) == "internet");
    CHECK(scene.outsider.run([=] { return send_two(internet, free_first, host, free_second); }) ==
          2);
    CHECK(arrival(free_second, Place::host) == "host");
    CHECK_FALSE(witness.has_seen(second));
}

TEST_CASE("a UDP socket connected to the internet can't send to the host aside") {
    Scene& scene = Scene::own_network();
    Witness& witness = Laboratory::get().network.witness;
    for (const Pair& pair : kBothFamilies) {
        INFO(pair.host);
        const Destination internet = destination(pair.internet, kPort);
        const Destination host = destination(pair.host, kPort);
        const Token jailed = fresh_token(), free = fresh_token(), control = fresh_token();
        const DenialCounts before = denials(scene.container.cgroup);
        CHECK(error_name(scene.container.init.run(
                  [=] { return send_aside(internet, host, jailed); })) == "EPERM");
        CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOCAL));
        CHECK(error_name(scene.outsider.run([=] { return send_aside(internet, host, free); })) ==
              "none");
        CHECK(arrival(free, Place::host) == "host");
        CHECK(error_name(scene.container.init.run(
                  [=] { return send_aside(internet, internet, control); })) == "none");
        CHECK(arrival(control, Place::internet) == "internet");
        CHECK_FALSE(witness.has_seen(jailed));
    }
}

TEST_CASE("of the container's resolver on the host, port 53 is reached and nothing else") {
    Container container;
    const Destination dns = destination("10.77.0.1", kDnsPort);
    const Destination other_address = destination("10.78.0.1", kDnsPort);
    create_file(container.state.bundle + "/resolv.conf", "nameserver 10.77.0.1\n");
    create_file(container.state.bundle + "/config.json",
                config_json(R"({"destination":"/etc/resolv.conf","type":"bind","source":")" +
                            container.state.bundle + R"(/resolv.conf"})"));
    expect_jailed(container.run_hook(), container.cgroup);
    Witness& witness = Laboratory::get().network.witness;
    for (const Way way : {Way::tcp_connect, Way::udp_sendto, Way::udp_connect}) {
        INFO(name_of(way));
        const Token query = fresh_token(), elsewhere = fresh_token();
        CHECK(error_name(container.init.run(
                  [=] { return attempt(way, other_address, elsewhere); })) == "EPERM");
        CHECK(error_name(container.init.run([=] { return attempt(way, dns, query); })) == "none");
        CHECK(arrival(query, Place::host) == "host");
        CHECK_FALSE(witness.has_seen(elsewhere));
    }
    expect_host_blocked(container.init, container.cgroup);
}

TEST_CASE("what the container's hosts file calls the host is out of reach") {
    Container container;
    TestCgroup outside;
    Child outsider({.cgroup = &outside, .network = &Laboratory::get().network.container});
    const Destination named = destination("10.78.0.77", kPort);  // on the internet's side
    // Behind a list of advertisers, which have no place in the hook's memory.
    std::string hosts = "127.0.0.1 localhost\n";
    while (hosts.size() < std::size_t{20} << 20)
        hosts += "0.0.0.0 advertiser" + std::to_string(hosts.size()) + ".example\n";
    create_file(container.state.bundle + "/hosts",
                hosts + "10.78.0.77 host.containers.internal host.docker.internal\n");
    create_file(container.state.bundle + "/config.json",
                config_json(R"({"destination":"/etc/hosts","type":"bind","source":")" +
                            container.state.bundle + R"(/hosts"})"));
    expect_jailed(container.run_hook(), container.cgroup);
    Witness& witness = Laboratory::get().network.witness;
    for (const Way way : kIpv4Ways) {
        INFO(name_of(way));
        const Token jailed = fresh_token(), free = fresh_token();
        const DenialCounts before = denials(container.cgroup);
        CHECK(error_name(container.init.run([=] { return attempt(way, named, jailed); })) ==
              "EPERM");
        CHECK(change(before, denials(container.cgroup)) == one_more(JAIL_REASON_HOSTS_FILE));
        CHECK(error_name(outsider.run([=] { return attempt(way, named, free); })) == "none");
        CHECK(arrival(free, Place::internet) == "internet");
        CHECK_FALSE(witness.has_seen(jailed));
    }
    expect_host_blocked(container.init, container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
