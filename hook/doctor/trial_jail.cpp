// SPDX-License-Identifier: Apache-2.0 OR MIT
// A jail on trial: whether one acts on this machine.
#include "doctor/probe.h"

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

Result<std::string> current_cgroup_directory() {
    auto self = TRY(open_proc_self());
    auto cgroup = TRY(read_kernel_file(self.get(), "cgroup"));
    auto path = TRY(parse_cgroup_path(cgroup));
    auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    auto place = TRY(place_cgroup(mountinfo, path));
    return place.mount_point + "/" + place.path;
}

class NewCgroup {
public:
    explicit NewCgroup(std::string path)
        : path_(std::move(path)), made_(::mkdir(path_.c_str(), 0755) == 0) {}
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
    TRY(check_cgroup_v1());
    auto directory = TRY(current_cgroup_directory());
    const std::string path = fmt::format("{}/jail-ai-hook-doctor-{}", directory, ::getpid());
    const NewCgroup made(path);
    if (!made.is_made()) return system_error(fmt::format("make cgroup {}", quote(path)), errno);
    auto cgroup = TRY(Cgroup::from_path(path));
    const auto guard = TRY(guard_is_available());
    Request request{};
    request.mode = Mode::enforce;
    auto policy = TRY(compile_policy(request, NetworkFacts()));
    auto jail =
        TRY(Jail::load(policy, guard ? Guard::lsm : Guard::none, cgroup, {"doctor", "", 0, ""}));
    auto attachment = std::move(jail).attach(cgroup, Existing::reject);
    if (!attachment) return std::move(attachment).error();
    return ok();
}

}  // namespace jail_ai
