// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "seccomp_fault.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <bit>
#include <cstddef>
#include <cstdint>

#include "must.h"

namespace jail_ai::test {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the low half of an argument comes first");

constexpr std::uint32_t kAnyCommand = 0xffffffff;

// The tests are built for the machine's own calling convention, so the filter need not look at
// seccomp_data.arch.
int install(std::uint32_t command, std::uint32_t action, unsigned flags) {
    constexpr auto number = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
    constexpr auto argument = static_cast<std::uint32_t>(offsetof(seccomp_data, args));
    const bool any = command == kAnyCommand;
    sock_filter steps[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, number},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_bpf},  // another system call: to the last step
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, argument},
        {static_cast<std::uint16_t>(BPF_JMP | (any ? BPF_JGE : BPF_JEQ) | BPF_K), 0, 1,
         any ? 0 : command},
        {BPF_RET | BPF_K, 0, 0, action},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    const sock_fprog program{sizeof steps / sizeof steps[0], steps};
    return static_cast<int>(must(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program),
                                 "install a seccomp filter"));
}

bool answer(int listener, int error, std::uint32_t flags) {
    seccomp_notif request{};
    if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
        if (errno == ENOENT || errno == EINTR) return false;
        throw_errno("receive a seccomp notification");
    }
    seccomp_notif_resp response{};
    response.id = request.id;
    response.error = error == 0 ? 0 : -error;
    response.flags = flags;
    return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

}  // namespace

void refuse_bpf(int error) {
    install(kAnyCommand, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error), 0);
}

void refuse_bpf_command(bpf_cmd command, int error) {
    install(static_cast<std::uint32_t>(command),
            SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error), 0);
}

void refuse_calls(const std::vector<int>& numbers, int error) {
    constexpr auto number = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
    std::vector<sock_filter> steps = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, number}};
    for (const int each : numbers) {
        steps.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(each)});
        steps.push_back(
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)});
    }
    steps.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW});
    const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
    must(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "install a seccomp filter");
}

UniqueFd watch_bpf_command(bpf_cmd command) {
    return UniqueFd(install(static_cast<std::uint32_t>(command), SECCOMP_RET_USER_NOTIF,
                            SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

UniqueFd watch_bpf_command_for_good(bpf_cmd command) {
    constexpr unsigned kWaitKillable = 1U << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
    return UniqueFd(install(static_cast<std::uint32_t>(command), SECCOMP_RET_USER_NOTIF,
                            SECCOMP_FILTER_FLAG_NEW_LISTENER | kWaitKillable));
}

void take_call(int listener) {
    seccomp_notif request{};
    must(::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request), "receive a seccomp notification");
}

bool let_go_on(int listener) {
    return answer(listener, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

bool fail_call(int listener, int error) {
    return answer(listener, error, 0);
}

}  // namespace jail_ai::test
