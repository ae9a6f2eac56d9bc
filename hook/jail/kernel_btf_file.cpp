// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/kernel_btf_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/absence.h"

namespace jail_ai {
namespace {

constexpr const char* kPath = "/sys/kernel/btf/vmlinux";
constexpr off_t kMostBytes = 64 << 20;

}  // namespace

void KernelBtfFile::Unmap::operator()(void* address) const {
    ::munmap(address, size);
}

Result<KernelBtfFile> KernelBtfFile::open() {
    const UniqueFd fd(::open(kPath, O_RDONLY | O_CLOEXEC));
    if (!fd)
        return system_error(fmt::format("open {}", kPath), errno,
                            means_absent(Sought::file, errno) ? EX_UNAVAILABLE : EX_IOERR);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0)
        return system_error(fmt::format("stat {}", kPath), errno, EX_IOERR);
    if (info.st_size <= 0 || info.st_size > kMostBytes)
        return Error{EX_UNAVAILABLE, fmt::format("{} has {} bytes", kPath, info.st_size)};
    const auto size = static_cast<std::size_t>(info.st_size);
    KernelBtfFile file;
    if (void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
        address != MAP_FAILED) {
        file.mapping_ = std::unique_ptr<void, Unmap>(address, Unmap{size});
        file.text_ = {static_cast<const char*>(address), size};
        return file;
    }
    file.copy_ = std::make_unique_for_overwrite<char[]>(size);
    std::size_t had = 0;
    while (had < size) {
        const ssize_t got = ::read(fd.get(), file.copy_.get() + had, size - had);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(fmt::format("read {}", kPath), errno, EX_IOERR);
        if (got == 0)
            return Error{EX_IOERR, fmt::format("{} ends after {} of {} bytes", kPath, had, size)};
        had += static_cast<std::size_t>(got);
    }
    file.text_ = {file.copy_.get(), size};
    return file;
}

Result<KernelTypes> find_kernel_types(const btf& local,
                                      const std::set<std::string, std::less<>>& functions) {
    const auto kernel = TRY(KernelBtfFile::open());
    return find_kernel_types(kernel.text(), local, functions);
}

StructuresFile::StructuresFile(UniqueFd fd)
    : fd_(std::move(fd)), path_(fmt::format("/proc/self/fd/{}", fd_.get())) {}

Result<StructuresFile> StructuresFile::make() {
    UniqueFd file(::memfd_create("kernel-types", MFD_CLOEXEC));
    if (!file) return system_error("make a file in memory", errno);
    return StructuresFile(std::move(file));
}

Status StructuresFile::write(const KernelTypes& types) const {
    if (::write(fd_.get(), types.structures.data(), types.structures.size()) !=
        static_cast<ssize_t>(types.structures.size()))
        return system_error("write the kernel's types to memory", errno);
    return ok();
}

}  // namespace jail_ai
