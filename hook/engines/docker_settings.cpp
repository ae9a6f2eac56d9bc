// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/docker_settings.h"

#include <algorithm>

#include "container/json.h"

namespace jail_ai {
namespace {

bool calls_the_hook(std::string_view program) {
    const std::string_view name = program.substr(program.rfind('/') + 1);
    return name == "jail-ai-runc" || name == "jail-ai-crun" || name == "jail-ai-hook";
}

}  // namespace

Result<DockerSettings> parse_docker_settings(std::string_view json) {
    DockerSettings settings;
    const auto document = TRY(parse_json_object(json));
    const auto usual = TRY(string_or_empty(document, "default-runtime"));
    const auto runtimes = TRY(find_object(document, "runtimes"));
    if (runtimes == nullptr) return settings;
    for (const auto& [name, runtime] : runtimes->GetObject()) {
        if (!runtime.IsObject()) return Error{EX_DATAERR, "a runtime is not an object"};
        const auto path = TRY(string_or_empty(runtime, "path"));
        if (calls_the_hook(path)) settings.runtimes.emplace_back(string_of(name));
    }
    settings.by_default = std::ranges::find(settings.runtimes, usual) != settings.runtimes.end();
    return settings;
}

}  // namespace jail_ai
