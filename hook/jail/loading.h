// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What loading takes, whichever object is loaded: libbpf's complaint, an error that says what the
// kernel lacks, the programs to hand on.
#pragma once

#include <bpf/libbpf.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "jail/attachment.h"
#include "jail/program_table.h"

namespace jail_ai {

// ENOTSUPP of include/linux/errno.h, which is not meant to leave the kernel and does.
inline constexpr int kKernelENotSupp = 524;

// strerror(3), and the kernel's own ENOTSUPP.
std::string error_text(int number);

std::string kernel_release();

// From now on libbpf prints nothing; what it warns of first goes into the next load_error().
void listen_to_libbpf();

// `what` is loaded ("BPF programs"), `needs` is the kernel that it takes.
Error load_error(std::string_view what, std::string_view needs, int number);

// What bpftool generates for an object, owned.
template <typename Generated>
struct SkeletonDeleter {
    void operator()(Generated* skeleton) const { Generated::destroy(skeleton); }
};

template <typename Generated>
using Skeleton = std::unique_ptr<Generated, SkeletonDeleter<Generated>>;

// Loads the map of constants without BPF_F_MMAPABLE, with which it takes two pages. To be called on
// an open object once the constants are set; after loading they can't be read through the skeleton.
// Returns 0 or a negative errno.
int keep_unmapped(bpf_map* constants);

// Descriptors of the maps of bpf/record.h, which the objects of one jail share.
struct RecordMaps {
    int denials;
    int recent_denials;
    int probe;
};

template <typename Maps>
RecordMaps record_maps(const Maps& maps) {
    return {::bpf_map__fd(maps.jail_denials), ::bpf_map__fd(maps.jail_recent),
            ::bpf_map__fd(maps.jail_probe)};
}

// Puts them in the place of an opened object's own. Gives 0 or a negative errno.
template <typename Maps>
int share_record(const Maps& maps, const RecordMaps& with) {
    if (const int failed = ::bpf_map__reuse_fd(maps.jail_denials, with.denials); failed != 0)
        return failed;
    if (const int failed = ::bpf_map__reuse_fd(maps.jail_recent, with.recent_denials); failed != 0)
        return failed;
    return ::bpf_map__reuse_fd(maps.jail_probe, with.probe);
}

// The programs of a loaded object, one for each slot, with descriptors of their own.
Result<std::vector<LoadedProgram>> loaded_programs(const bpf_object* object,
                                                   std::span<const ProgramSlot> slots);

}  // namespace jail_ai
