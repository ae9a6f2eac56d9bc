// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// /sys/kernel/btf/vmlinux in memory: mapped where the kernel lets it be (6.16), else read, which
// sysfs grants a page at a time.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "jail/kernel_btf.h"

namespace jail_ai {

class KernelBtfFile {
public:
    // Errors: EX_UNAVAILABLE for a kernel without, EX_IOERR.
    static Result<KernelBtfFile> open();

    // As long as this lives.
    std::string_view text() const { return text_; }

private:
    struct Unmap {
        std::size_t size;
        void operator()(void* address) const;
    };

    KernelBtfFile() = default;

    std::unique_ptr<void, Unmap> mapping_;
    std::unique_ptr<char[]> copy_;
    std::string_view text_;
};

// find_kernel_types() in that file. Errors: as both.
Result<KernelTypes> find_kernel_types(const btf& local,
                                      const std::set<std::string, std::less<>>& functions);

// A file in memory that libbpf takes for the kernel's BTF. It reads that when it loads an object,
// and not yet when it opens one, so that what goes into the file can be found by an open object's
// types.
class StructuresFile {
public:
    // Errors: EX_OSERR.
    static Result<StructuresFile> make();

    // For bpf_object_open_opts, as long as this lives.
    const char* path() const { return path_.c_str(); }

    // Puts nothing in it but the structures; once. Errors: EX_OSERR.
    Status write(const KernelTypes& types) const;

private:
    explicit StructuresFile(UniqueFd fd);

    UniqueFd fd_;
    std::string path_;
};

}  // namespace jail_ai
