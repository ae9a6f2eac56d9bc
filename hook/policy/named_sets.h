// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Addresses that mean the host, or the infrastructure that runs it, whatever the routing tables
// say.
#pragma once

#include <array>
#include <string_view>

#include "bpf/abi.h"

namespace jail_ai {

struct NamedPrefix {
    std::string_view prefix;  // as IpPrefix::parse() takes it
    jail_reason reason;
    std::string_view source;  // who gives the address this meaning
};

// Denied to every container.
inline constexpr std::array kAlwaysDenied = std::to_array<NamedPrefix>({
    {"169.254.1.2", JAIL_REASON_ALIAS, "pasta: host.containers.internal"},
    {"10.0.2.2", JAIL_REASON_ALIAS, "slirp4netns and QEMU user networking: the host"},
    {"fd00::2", JAIL_REASON_ALIAS, "slirp4netns: the host"},
    {"192.168.127.1", JAIL_REASON_ALIAS, "gvproxy: gateway with a control interface"},
    {"192.168.127.254", JAIL_REASON_ALIAS, "gvproxy: the host"},
    {"192.168.5.2", JAIL_REASON_ALIAS, "lima: the host"},
    {"192.168.65.2", JAIL_REASON_ALIAS, "Docker Desktop: the host"},
    {"192.168.65.254", JAIL_REASON_ALIAS, "Docker Desktop: the host"},
    {"172.17.0.1", JAIL_REASON_ALIAS, "docker0: the host"},
    {"192.168.122.1", JAIL_REASON_ALIAS, "libvirt: the host"},
    {"169.254.169.254", JAIL_REASON_METADATA, "instance metadata of most clouds"},
    {"169.254.170.2", JAIL_REASON_METADATA, "ECS task credentials"},
    {"169.254.170.23", JAIL_REASON_METADATA, "EKS pod identity"},
    {"fd00:ec2::23", JAIL_REASON_METADATA, "EKS pod identity"},
    {"fd00:ec2::254", JAIL_REASON_METADATA, "EC2 instance metadata"},
    {"fd20:ce::254", JAIL_REASON_METADATA, "Google Cloud metadata"},
    {"fd00:a9fe:a9fe::1", JAIL_REASON_METADATA, "Akamai (Linode) metadata"},
    {"fd00:c1::a9fe:a9fe", JAIL_REASON_METADATA, "Oracle Cloud metadata"},
    {"168.63.129.16", JAIL_REASON_METADATA, "Azure wire server"},
    {"100.100.100.200", JAIL_REASON_METADATA, "Alibaba Cloud metadata"},
    {"fd00:100::100:200", JAIL_REASON_METADATA, "Alibaba Cloud metadata"},
    {"169.254.0.23", JAIL_REASON_METADATA, "Tencent Cloud metadata"},
    {"100.96.0.96", JAIL_REASON_METADATA, "Volcengine metadata"},
    {"192.0.0.192", JAIL_REASON_METADATA, "Oracle Cloud Classic metadata"},
    {"169.254.42.42", JAIL_REASON_METADATA, "Scaleway metadata"},
    {"fd00:42::42", JAIL_REASON_METADATA, "Scaleway metadata"},
    {"255.255.255.255", JAIL_REASON_BROADCAST, "limited broadcast, RFC 919"},
    {"224.0.0.0/4", JAIL_REASON_MULTICAST, "multicast, RFC 5771"},
    {"ff00::/8", JAIL_REASON_MULTICAST, "multicast, RFC 4291"},
    {"fe80::/10", JAIL_REASON_LINK_LOCAL, "link-local neighbours, RFC 4291"},
});

// Denied, too. If the container shares the engine's network namespace these are the host's own;
// in one of its own they are the container's as long as they stay inside, and a host's that takes
// such packets from a device (route_localnet).
inline constexpr std::array kLoopback = std::to_array<NamedPrefix>({
    {"127.0.0.0/8", JAIL_REASON_LOOPBACK, "loopback, RFC 1122"},
    {"::1", JAIL_REASON_LOOPBACK, "loopback, RFC 4291"},
    {"0.0.0.0/8", JAIL_REASON_UNSPECIFIED, "this host, RFC 1122"},
    {"::", JAIL_REASON_UNSPECIFIED, "unspecified, RFC 4291"},
});

}  // namespace jail_ai
