// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See trial_jail.h.
#include "doctor/trial_jail.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quote.h"
#include "container/cgroup_path.h"
#include "jail/build.h"
#include "system/cgroup.h"
#include "system/cgroup_v1.h"
#include "system/file.h"
#include "system/lsm.h"
#include "system/process.h"

namespace jail_ai {
namespace {

Result<std::string> own_directory() {
    auto self = open_proc_self();
    if (!self) return std::move(self).error();
    auto cgroup = read_kernel_file(self->get(), "cgroup");
    if (!cgroup) return std::move(cgroup).error();
    auto path = parse_cgroup_path(*cgroup);
    if (!path) return std::move(path).error();
    auto mountinfo = read_kernel_file(self->get(), "mountinfo");
    if (!mountinfo) return std::move(mountinfo).error();
    auto place = place_cgroup(*mountinfo, *path);
    if (!place) return std::move(place).error();
    return place->mount_point + "/" + place->path;
}

class NewCgroup {
public:
    explicit NewCgroup(std::string path) : path_(std::move(path)), made_(::mkdir(path_.c_str(), 0755) == 0) {}
    NewCgroup(const NewCgroup&) = delete;
    NewCgroup& operator=(const NewCgroup&) = delete;
    ~NewCgroup() {
        if (made_) ::rmdir(path_.c_str());
    }

    bool is_made() const { return made_; }

private:
    std::string path_;
    bool made_;
};

}  // namespace

Status try_to_jail() {
    if (auto checked = check_cgroup_v1(); !checked) return checked;
    auto own = own_directory();
    if (!own) return std::move(own).error();
    const std::string path = fmt::format("{}/jail-ai-hook-doctor-{}", *own, ::getpid());
    const NewCgroup made(path);
    if (!made.is_made()) return system_error(fmt::format("make cgroup {}", quote(path)), errno);
    auto cgroup = Cgroup::at(path);
    if (!cgroup) return std::move(cgroup).error();
    const auto guard = guard_is_available();
    if (!guard) return guard.error();
    Request request{};
    request.mode = Mode::enforce;
    auto policy = compile_policy(request, HostView());
    if (!policy) return std::move(policy).error();
    auto jail = Jail::load(*policy, *guard ? Guard::lsm : Guard::none, *cgroup, {"doctor", 0, ""});
    if (!jail) return std::move(jail).error();
    auto attachment = std::move(*jail).attach(*cgroup, Existing::refuse);
    if (!attachment) return std::move(attachment).error();
    return ok();
}

}  // namespace jail_ai
