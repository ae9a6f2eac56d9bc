// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container.h"

#include <stdexcept>

#include "files.h"

namespace jail_ai::test {
namespace {

std::string make_bundle() {
    const std::string path = Laboratory::get().dev.make_directory();
    make_directory(path + "/rootfs");
    create_file(path + "/config.json", config_json());
    return path;
}

Whereabouts whereabouts(const Container::Options& options, const TestCgroup& cgroup) {
    const NetworkLab& network = Laboratory::get().network;
    Whereabouts where;
    where.cgroup = &cgroup;
    where.network = options.network != nullptr ? options.network : &network.container;
    where.user_namespace = options.user_namespace;
    where.container_namespaces = true;
    return where;
}

std::vector<EarlyStart::Start>& early_starts() {
    static std::vector<EarlyStart::Start> starts;
    return starts;
}

}  // namespace

EarlyStart::EarlyStart(Start start) {
    early_starts().push_back(start);
}

Laboratory* Laboratory::current_ = nullptr;

Laboratory::Laboratory(const std::string& hook_path) : hook(hook_path, dev) {
    current_ = this;
    for (const EarlyStart::Start start : early_starts()) started_.push_back(start(hook));
}

Laboratory::~Laboratory() {
    started_.clear();
    current_ = nullptr;
}

Laboratory& Laboratory::get() {
    if (current_ == nullptr) throw std::logic_error("no laboratory");
    return *current_;
}

std::string config_json(const std::string& mounts) {
    return R"({"ociVersion":"1.0.2","process":{"args":["/x"],"cwd":"/"},"root":{"path":"rootfs"},"mounts":[)" +
           mounts + R"(],"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}})";
}

std::string State::json() const {
    return R"({"ociVersion":"1.0","id":")" + id + R"(","pid":)" + pid + R"(,"root":")" + bundle +
           R"(/rootfs","bundle":")" + bundle + R"(","status":"created","annotations":)" +
           annotations + "}";
}

Container::Container(const Options& options)
    : cgroup(options.parent != nullptr ? TestCgroup(*options.parent, "container") : TestCgroup()),
      init(whereabouts(options, cgroup)) {
    state.pid = std::to_string(init.pid());
    state.bundle = make_bundle();
    if (options.annotations != nullptr) state.annotations = options.annotations;
}

HookCall Container::call() const {
    HookCall call;
    call.state = state.json();
    call.bundle = state.bundle;
    call.network = &Laboratory::get().network.host;
    return call;
}

HookCall verb_call(std::vector<const char*> words) {
    HookCall call;
    call.bundle = "/";
    call.network = &Laboratory::get().network.host;
    call.words = std::move(words);
    return call;
}

}  // namespace jail_ai::test
