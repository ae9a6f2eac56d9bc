// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container holds that would let it go round every program on its cgroup. Judged from facts that system/ collects.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "container/bundle.h"
#include "container/open_sockets.h"
#include "container/request.h"
#include "container/user_network.h"

namespace jail_ai {

// What is mounted in the container.
struct SeenMount {
    std::string destination;    // in the container
    std::string source;         // where the host has the same, as far as that is known
    std::string engine_socket;  // of an engine's socket that it is or that is below it: the path on the host; else empty
    bool shows_processes;       // a procfs of another PID namespace than the container's
    bool shows_cgroups;         // a cgroup file system that shows more than the container's own cgroup, and that the container may write to
};

// A bind mount that is still to be made, of a source that exists, with every link in it resolved.
struct BoundPath {
    std::string source;  // absolute real path on the host
    std::string destination;
    bool recursive;  // mounts below the source come along
    bool read_only;  // the mount itself; mounts below it stay as they are
    bool is_socket;
    bool is_procfs;
    std::string engine_socket;  // of a directory: the name of an engine's socket right in it; else empty
};

// A descriptor that the container's process holds before it has started, and that leads out of what the hooks on its cgroup see.
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
    bool by_configuration;     // the kernel could have it, was it told to at boot
    bool abstract_unix;        // it reaches abstract Unix sockets of the engine's network namespace
    VsockListeners listeners;  // empty unless the container can open vsock sockets
    OpenSockets open_sockets;
};

struct ContainerFacts {
    bool shares_cgroup_namespace;
    bool sees_other_processes;  // its PID namespace is the host's or another container's
    std::vector<BoundPath> binds;
    std::vector<std::string> cgroup_mounts;   // mount points of cgroup file systems of any version
    std::vector<std::string> engine_sockets;  // real paths of the sockets by which engines take orders, or will once they run
    std::vector<ForeignDescriptor> descriptors;
    std::optional<Unguarded> unguarded;
    std::vector<SeenMount> mounts;          // those that could be a risk
    std::vector<LoopbackForward> forwards;  // of its user-mode network
    bool loses_fragments = false;           // what it sends in fragments by a raw socket may leave past egress
    bool shares_network = false;            // it is in the engine's network namespace
    bool in_user_namespace = false;         // its capabilities count in a user namespace of its own or its engine's, not on the whole machine
};

struct FoundRisk {
    Risk risk;
    std::string what;    // "CAP_NET_ADMIN in process.capabilities"
    std::string remedy;  // "drop it: --cap-drop=NET_ADMIN"
    bool refuses;        // without being accepted; else it is told and no more
};

// Every risk, in the order of enum Risk; several of the same kind where several things carry it.
std::vector<FoundRisk> find_risks(const Bundle& bundle, const ContainerFacts& facts);

inline constexpr std::array<std::string_view, 4> kEngineSocketNames = {"podman.sock", "docker.sock", "crio.sock", "containerd.sock"};

// The name of a socket file by which a container engine takes orders: "podman.sock", "docker.sock", "crio.sock", "containerd.sock".
bool is_engine_socket(std::string_view path);

}  // namespace jail_ai
