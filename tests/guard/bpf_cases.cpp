// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// bpf: whoever could call bpf(2) inside could look at, outvote or detach what holds him.
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"

namespace jail_ai::test {
namespace {

int make_map() {
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 8;
    attributes.max_entries = 1;
    const UniqueFd map(
        static_cast<int>(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes)));
    return map ? 0 : errno;
}

TEST_CASE("bpf(2) fails inside, whatever the privileges") {
    NEED_GUARD();
    Rig rig;
    expect_denied(rig, rig.container.init, JAIL_REASON_BPF, make_map);
    expect_denied(rig, rig.nested, JAIL_REASON_BPF, make_map);
    expect_allowed(rig, rig.stranger, make_map);
    const int cgroup = rig.container.cgroup.fd();
    const std::vector<Attachment> before = jail_attachments(cgroup);
    const std::uint32_t id = before.front().id, type = before.front().type;
    expect_denied(rig, rig.nested, JAIL_REASON_BPF, [=] { return detach_by_id(cgroup, type, id); });
    CHECK((jail_attachments(cgroup) == before));
    CHECK(error_name(detach_by_id(cgroup, type, id)) == "none");
}

}  // namespace
}  // namespace jail_ai::test
