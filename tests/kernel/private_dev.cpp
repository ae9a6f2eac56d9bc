// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "private_dev.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <map>

#include "files.h"
#include "must.h"

namespace jail_ai::test {

PrivateDev::PrivateDev() {
    // Bound and not made: in a container mknod(2) may be refused.
    std::map<std::string, UniqueFd> devices;
    for (const char* name : {"null", "zero", "full", "random", "urandom"}) {
        const std::string path = std::string("/dev/") + name;
        devices.emplace(path, must(::open(path.c_str(), O_PATH | O_CLOEXEC), "open " + path));
    }
    must(::mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755"), "mount a private /dev");
    // TOMOYO, active on Debian 11, looks up the path that fexecve(3) names.
    must(::symlink("/proc/self/fd", "/dev/fd"), "link /dev/fd");
    for (const auto& [path, fd] : devices) {
        create_file(path, {});
        const std::string source = "/proc/self/fd/" + std::to_string(fd.get());
        must(::mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), "bind " + path);
    }
    log_ = UniqueFd(must(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open the log socket"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/dev/log");
    must(::bind(log_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
         "bind /dev/log");
    must(::chmod("/dev/log", 0666), "open /dev/log to everybody");
}

std::string PrivateDev::make_directory() {
    const std::string path = "/dev/bundle" + std::to_string(++last_);
    test::make_directory(path);
    return path;
}

void PrivateDev::drain_log() {
    char text[8192];
    for (ssize_t got; (got = ::recv(log_.get(), text, sizeof text, MSG_DONTWAIT)) >= 0;)
        messages_.emplace_back(text, static_cast<std::size_t>(got));
}

std::vector<std::string> PrivateDev::take_log(pid_t pid) {
    drain_log();
    const std::string tag = "[" + std::to_string(pid) + "]: ";
    std::vector<std::string> taken;
    for (const auto& message : messages_)
        if (message.find(tag) != std::string::npos) taken.push_back(message);
    std::erase_if(messages_, [&](const std::string& message) {
        return message.find(tag) != std::string::npos;
    });
    return taken;
}

}  // namespace jail_ai::test
