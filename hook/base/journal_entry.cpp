// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "base/journal_entry.h"

#include <cstdint>

namespace jail_ai {

// A value with a newline stands behind its size, 64 bits with the lowest first.
std::string journal_entry(std::span<const JournalField> fields) {
    std::string entry;
    for (const JournalField& field : fields) {
        entry += field.name;
        if (field.value.find('\n') == std::string::npos) {
            entry += '=';
        } else {
            entry += '\n';
            for (std::uint64_t size = field.value.size(), byte = 0; byte < 8; ++byte, size >>= 8)
                entry += static_cast<char>(size & 0xff);
        }
        entry += field.value;
        entry += '\n';
    }
    return entry;
}

}  // namespace jail_ai
