// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is known of a container and of its host, from which the policy is made and the risks are
// checked. The room facts/ collects it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_prefix.h"
#include "bpf/abi.h"
#include "seccomp/open_sockets.h"

namespace jail_ai {

// Ports of the container's own loopback at which the host's loopback answers (pasta -T and -U).
struct LoopbackForward {
    std::string option;  // "-T 4000", as on a command line
    bool every_port;  // whatever listens on the host: auto, all, or ranges that are only left out

    bool operator==(const LoopbackForward&) const = default;
};

// What is mounted in the container.
struct SeenMount {
    std::string destination;    // in the container
    std::string source;         // where the host has the same, as far as that is known
    std::string engine_socket;  // of an engine's socket that it is or that is below it: the path on
                                // the host; else empty
    bool shows_processes;       // a procfs of another PID namespace than the container's
    bool shows_cgroups;  // a cgroup file system that shows more than the container's own cgroup,
                         // and that the container may write to
};

// A bind mount that is still to be made, of a source that exists, with every link in it resolved.
struct BoundPath {
    std::string source;  // absolute real path on the host
    std::string destination;
    bool recursive;  // mounts below the source come along
    bool read_only;  // the mount itself; mounts below it stay as they are
    bool is_socket;
    bool is_procfs;
    // If it is a directory, the name of an engine's socket right in it; else empty.
    std::string engine_socket;
};

// A descriptor that the container's process holds before it has started, and that leads out of what
// the hooks on its cgroup see.
struct ForeignDescriptor {
    int number;
    std::string kind;  // "an inet socket", "a directory" …
};

// What closes the routes that no network hook sees.
enum class Guard {
    none,
    unix_hooks,  // closes abstract Unix sockets, and nothing else
    lsm,         // BPF LSM programs: closes them all
};

// Processes of this machine that wait for vsock connections.
struct VsockListeners {
    bool known;  // false: the kernel doesn't say
    std::vector<std::uint32_t> ports;
};

// What may be left open without BPF LSM.
struct Unguarded {
    bool by_configuration;     // the kernel could have it, if it was configured so at boot
    bool abstract_unix;        // it reaches abstract Unix sockets of the engine's network namespace
    VsockListeners listeners;  // empty unless the container can open vsock sockets
    ReachableFamilies open_sockets;
};

struct ContainerFacts {
    bool shares_cgroup_namespace;
    bool sees_other_processes;  // its PID namespace is the host's or another container's
    std::vector<BoundPath> binds;
    std::vector<std::string> cgroup_mounts;   // mount points of cgroup file systems of any version
    std::vector<std::string> engine_sockets;  // real paths of the sockets by which engines take
                                              // orders, or will once they run
    std::vector<ForeignDescriptor> descriptors;
    std::optional<Unguarded> unguarded;
    std::vector<SeenMount> mounts;          // those that could be a risk
    std::vector<LoopbackForward> forwards;  // of its user-mode network
    bool loses_fragments =
        false;  // what it sends in fragments by a raw socket may leave past egress
    bool shares_network = false;     // it is in the engine's network namespace
    bool in_user_namespace = false;  // its capabilities count in a user namespace of its own or its
                                     // engine's, not on the whole machine
};

// What the container's files for names of hosts and resolvers hold; empty if it has none.
struct NameFiles {
    std::string hosts;  // the lines that name the host
    std::string resolv_conf;
    bool resolv_conf_is_deferred =
        false;  // the engine has a resolv.conf for the container, and nothing in it yet
};

// An address or prefix that the kernel delivers locally in the engine's network namespace.
struct LocalRoute {
    IpPrefix prefix;
    jail_reason reason;  // JAIL_REASON_LOCAL or JAIL_REASON_BROADCAST
    std::string device;  // may be empty
};

// What the operating system says about the host and the container.
struct NetworkFacts {
    std::vector<LocalRoute> routes;
    bool shares_network = false;         // the container is in the engine's network namespace
    std::vector<IpPrefix> named;         // what the container's hosts file calls the host
    std::vector<IpPrefix> name_servers;  // the container's resolvers
    std::vector<IpPrefix> gateways;      // the container's default gateways
    // Addresses in the container's network namespace, without loopback's.
    std::vector<IpPrefix> container_addresses;
    // What a user-mode network (slirp4netns, pasta) leads to the host, or may.
    std::vector<IpPrefix> mapped;

    // The engine gives the container its network after the hook has run, so that it can't know its
    // addresses yet.
    bool network_is_deferred = false;
    bool may_copy_host = false;                // and these may then be copies of the host's own
    std::vector<LocalRoute> predicted_routes;  // what the host will have then

    std::vector<LoopbackForward> forwards;  // for the container's risks, see policy/risks.h
    // What could not be read, and what was done about it, for the log.
    std::vector<std::string> warnings;
};

}  // namespace jail_ai
