// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is expected of every route; see table.h.
#include "table.h"

#include <linux/capability.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <utility>

#include "failure.h"

namespace escape {

namespace {

constexpr const char* table_text =
#include "../routes.table"
    ;

constexpr std::array closers = {"connect", "sendmsg", "egress", "guard", "refused", "open"};

struct Capability {
    const char* word;
    int number;
};
constexpr std::array capabilities_known = {Capability{"net_raw", CAP_NET_RAW},
                                           Capability{"net_admin", CAP_NET_ADMIN}};

}  // namespace

const char* closer_name(Closer closer) {
    return closers[static_cast<size_t>(closer)];
}

Table read_table(const std::string& path) {
    Table table;
    std::istringstream built_in(table_text);
    std::ifstream file(path);
    if (!path.empty() && !file) give_up("open " + path);
    std::istream& lines = path.empty() ? static_cast<std::istream&>(built_in) : file;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream fields(line);
        std::string name, closer;
        Expectation expectation{};
        fields >> name >> closer;
        std::getline(fields >> std::ws, expectation.why);
        size_t colon = closer.find(':');
        if (colon != std::string::npos) expectation.means = closer.substr(colon + 1);
        const auto* known = std::find(closers.begin(), closers.end(), closer.substr(0, colon));
        errno = EINVAL;
        if (known == closers.end()) give_up(path + ": line '" + line + "'");
        expectation.closer = static_cast<Closer>(known - closers.begin());
        bool reason_needed =
            expectation.closer == Closer::open || expectation.closer == Closer::guard;
        const bool unix_hooks = expectation.closer == Closer::guard && expectation.means == "unix";
        if ((expectation.closer == Closer::refused || unix_hooks) == expectation.means.empty() ||
            (reason_needed && expectation.why.empty()) || !table.emplace(name, expectation).second)
            give_up(path + ": line '" + line + "'");
    }
    return table;
}

bool Route::needs_word(const std::string& word) const {
    return std::find(needs.begin(), needs.end(), word) != needs.end();
}

uint64_t Route::capabilities() const {
    uint64_t mask = 0;
    for (const Capability& capability : capabilities_known)
        if (needs_word(capability.word)) mask |= uint64_t{1} << capability.number;
    return mask;
}

std::vector<Route> list_routes(const std::string& adversary) {
    std::vector<Route> routes;
    FILE* output = ::popen((adversary + " --list").c_str(), "re");
    if (output == nullptr) give_up("run " + adversary);
    char line[256];
    while (std::fgets(line, sizeof(line), output) != nullptr) {
        std::istringstream fields(line);
        Route route;
        fields >> route.name;
        for (std::string word; fields >> word;) route.needs.push_back(word);
        routes.push_back(std::move(route));
    }
    if (::pclose(output) != 0 || routes.empty()) give_up("list the routes of " + adversary);
    return routes;
}

}  // namespace escape
