// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The administrator's settings for the machine, as a hook finds them that is about to be executed.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "must.h"

namespace jail_ai::test {

inline constexpr const char* kSettingsPath = "/etc/jail-ai-hook.conf";

struct SettingsFile {
    const char* text;
    mode_t mode = 0644;
    uid_t owner = 0;
};

// In a mount namespace of the caller's own.
inline void write_settings(const SettingsFile& file) {
    must(::unshare(CLONE_NEWNS), "make a mount namespace");
    must(::mount("tmpfs", "/etc", "tmpfs", MS_NOSUID, "mode=755"), "mount a private /etc");
    create_file(kSettingsPath, file.text);
    must(::chmod(kSettingsPath, file.mode), "set the mode");
    must(::chown(kSettingsPath, file.owner, 0), "set the owner");
}

}  // namespace jail_ai::test
