// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "verify/finding.h"

namespace jail_ai {

std::string_view name_of(FindingKind kind) {
    switch (kind) {
        case FindingKind::ok: return "ok";
        case FindingKind::warning: return "warning";
        case FindingKind::problem: return "problem";
        case FindingKind::not_jailed: return "not-jailed";
        case FindingKind::other_mode: return "other-mode";
        case FindingKind::program_missing: return "program-missing";
        case FindingKind::program_twice: return "program-twice";
        case FindingKind::maps_not_shared: return "maps-not-shared";
        case FindingKind::not_acting: return "not-acting";
        case FindingKind::attach_flags: return "attach-flags";
        case FindingKind::overridden: return "overridden";
        case FindingKind::stale: return "stale";
        case FindingKind::other_version: return "other-version";
        case FindingKind::unreadable: return "unreadable";
        case FindingKind::user_state: return "user-state";
    }
    return "?";
}

void put_findings(JsonWriter& writer, const Findings& findings, std::string_view kind_key,
                  std::string_view about_key) {
    writer.Key("findings");
    writer.StartArray();
    for (const Finding& each : findings) {
        writer.StartObject();
        put(writer, kind_key, name_of(each.kind));
        put(writer, about_key, each.about);
        put(writer, "what", each.what);
        put(writer, "remedy", each.remedy);
        writer.EndObject();
    }
    writer.EndArray();
}

}  // namespace jail_ai
