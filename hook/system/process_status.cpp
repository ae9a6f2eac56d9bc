// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/process_status.h"

#include <charconv>

namespace jail_ai {

std::optional<pid_t> number_after(std::string_view text, std::string_view field) {
    const std::size_t at = text.find(field);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + field.size());
    pid_t number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
        return std::nullopt;
    return number;
}

std::optional<bool> is_first_of_pid_namespace(std::string_view status) {
    constexpr std::string_view kField = "\nNSpid:";
    const std::size_t at = status.find(kField);
    if (at == std::string_view::npos) return std::nullopt;
    // One number a namespace, from the reader's down to its own.
    std::string_view numbers = status.substr(at + kField.size());
    numbers = numbers.substr(0, numbers.find('\n'));
    return numbers.ends_with("\t1");
}

}  // namespace jail_ai
