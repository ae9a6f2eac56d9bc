// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the tests are about: a container at the moment of createRuntime, and the laboratory in which
// it stands.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "child.h"
#include "hook_run.h"
#include "network_lab.h"

namespace jail_ai::test {

// What a file of cases wants running from before the first test to after the last. Made as a
// global.
struct EarlyStart {
    using Start = std::shared_ptr<void> (*)(HookBinary& hook);
    explicit EarlyStart(Start start);
};

// Everything that is made once a run. The suite builds it before the first test and destroys it
// after the last.
class Laboratory {
public:
    explicit Laboratory(const std::string& hook_path);
    ~Laboratory();
    Laboratory(const Laboratory&) = delete;
    Laboratory& operator=(const Laboratory&) = delete;

    static Laboratory& get();

    PrivateDev dev;
    HookBinary hook;
    NetworkLab network;

private:
    static Laboratory* current_;
    std::vector<std::shared_ptr<void>> started_;
};

// A config.json whose seccomp profile leaves no socket open that the network hooks don't check.
// `mounts`: the array's elements.
std::string config_json(const std::string& mounts = "");

// A state as runtimes write it.
struct State {
    std::string id = "test";
    std::string pid;  // as JSON
    std::string bundle;
    std::string annotations = R"({"jail-ai.block-host":"true"})";

    std::string json() const;
};

// A verb as people call it, in the laboratory's host.
HookCall verb_call(std::vector<const char*> words);

// A cgroup of its own with a single process in it, and a bundle.
class Container {
public:
    struct Options {
        const NetworkNamespace* network = nullptr;  // nullptr: the laboratory's for containers
        const TestCgroup* parent = nullptr;         // of its cgroup
        int user_namespace = -1;
        const char* annotations = nullptr;  // nullptr: only that the host is to be blocked
    };

    Container() : Container(Options{}) {}
    explicit Container(const Options& options);

    HookCall call() const;  // createRuntime with block-host=true, in the host's network namespace
    HookOutcome run_hook() const { return Laboratory::get().hook.run(call()); }

    TestCgroup cgroup;
    Child init;
    State state;
};

}  // namespace jail_ai::test
