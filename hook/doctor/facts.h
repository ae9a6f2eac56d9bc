// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What doctor knows about a machine and a user, and what follows from it for the block. The
// verdict is pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/request.h"
#include "doctor/finding.h"
#include "engines/docker_settings.h"
#include "engines/hooks_dirs.h"

namespace jail_ai {

struct SeenHook {
    std::string file;   // the JSON
    std::string error;  // why it is none; the rest is empty then
    std::string binary;
    std::string trouble;  // with the binary: "missing", "not executable"; or empty
    std::vector<std::string> stages;
    bool is_ours = false;
    std::string verb;  // that it is called with
    CalledFor called_for = CalledFor::all;
    bool is_hidden = false;  // the JSON or the binary, from the user's podman: see pause_process.h
    std::vector<std::string> flags;  // behind the verb
};

// A BPF program of another owner on a cgroup, at a hook that a jail uses.
struct ForeignProgram {
    std::string name;
    std::string cgroup;
    bool exclusive;  // no program can be attached below it
};

struct Program {
    std::string name;
    std::string version;  // the first line of what it says, or why it says none
};

enum class Broker { listens, not_there, deserted };  // deserted: a socket without a listener

// A directory that a file of settings names for hooks, and that a later file leaves out.
struct LeftOutHooks {
    std::string directory;
    std::string named_by;
    std::string left_out_by;
};

// Where Docker is installed.
struct SeenDocker {
    std::string file;   // its settings, also if they are missing
    std::string error;  // why they can't be read; the rest is empty then
    DockerSettings settings;
};

struct MachineFacts {
    std::string version;   // of the hook
    std::string release;   // "6.1.0-50-amd64"
    bool is_root = false;  // in the initial user namespace
    Defaults settings;     // of the whole machine
    std::string settings_failure;
    bool in_user_namespace = false;
    std::string load_failure;   // root's trial, empty if it went well
    std::string trial_failure;  // of a jail on a cgroup of its own, empty if it was proved to act
    bool acts_not = false;      // that is what failed, and not the trial
    std::vector<ForeignProgram> others_programs;  // that root can see
    std::string others_failure;                   // why that may not be all
    std::size_t asking = 0;                       // containers that ask for the block, as root sees
    std::size_t having = 0;                       // of these, that have it
    std::size_t discrepancies = 0;                // that verify would report
    std::string cgroup_mount;                     // of cgroup2, empty for none
    std::optional<Error> cgroup_failure;  // EX_UNAVAILABLE: neither kernel nor mounts have one
    bool has_user_session = false;  // of a user: systemd's, which gives each container a cgroup
    Broker broker = Broker::not_there;
    std::vector<std::string> unread_drop_ins;  // of a unit by a name that older versions had
    std::optional<int> jit;                    // net.core.bpf_jit_enable
    std::optional<int> unprivileged_bpf;       // kernel.unprivileged_bpf_disabled
    bool has_guard = false;                    // BPF LSM
    bool has_unix_hooks = false;               // which stand in for a part of it
    std::vector<std::string> hooks_dirs;       // podman's for this user, in order
    std::vector<SeenHook> hooks;               // in those
    std::vector<LeftOutHooks> left_out;        // that have hooks
    std::vector<SeenHook> shared_hooks;        // in the directory that CRI-O reads
    std::vector<Program> programs;             // engines and runtimes
    std::optional<SeenDocker> docker;
    bool vsock_known = true;
    std::vector<unsigned> vsock_ports;  // that have a listener
    std::vector<std::string> name_servers;
    std::vector<std::string> addresses;  // the host's, without loopback and broadcast
    std::string address_failure;
    std::vector<std::string> route_localnet;  // interfaces with route_localnet: what comes by them
                                              // for 127.0.0.0/8 is delivered
};

Findings check_machine(const MachineFacts& facts);

}  // namespace jail_ai
