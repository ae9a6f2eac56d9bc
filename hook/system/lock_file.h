// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Files by which processes of this program keep out of each other's way. What they lock goes with
// them; the files say nothing and stay.
#pragma once

#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

// RuntimeDirectory= of the units, whose processes see the rest of /run read-only.
inline constexpr const char* kRuntimeDirectory = "/run/jail-ai-hook";

inline constexpr const char* kRulesLock = "rules";  // writes the rules of jails that are in force

// The file of that name in kRuntimeDirectory, which only root can open; both are made. Error:
// EX_OSERR.
Result<UniqueFd> open_runtime_file(const char* name);

// Such a file, opened before the process confines itself, and locked (flock(2)) when it is time.
class LockFile {
public:
    // Locked for as long as it lives.
    class Held {
    public:
        explicit Held(const LockFile& file) : file_(&file) {}
        Held(Held&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
        Held& operator=(Held&&) = delete;
        ~Held();

    private:
        const LockFile* file_;
    };

    // As open_runtime_file().
    static Result<LockFile> open(const char* name);

    // Waits until it is free. Errors: EX_OSERR, EX_TEMPFAIL when the deadline has passed.
    Result<Held> wait() const;

private:
    LockFile(const char* name, UniqueFd fd) : name_(name), fd_(std::move(fd)) {}

    const char* name_;
    UniqueFd fd_;
};

}  // namespace jail_ai
