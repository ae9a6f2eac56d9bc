// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "policy/evaluate.h"

#include <cstring>
#include <span>

#include "bpf/verdict.h"

namespace {

jail_ai::IpPrefix prefix_of(const jail_key& key) {
    return *jail_ai::IpPrefix::from_bytes(std::span(key.addr), key.prefix_bits);
}

// The IPv4 addresses that jail_evaluate() finds in an IPv6 one.
std::vector<jail_ai::IpPrefix> forms_inside(const jail_key& key) {
    std::vector<jail_ai::IpPrefix> forms;
    jail_key inside{};
    __u32 v4 = 0;
    const auto add = [&] {
        jail_key_v4(&inside, v4);
        forms.push_back(prefix_of(inside));
    };
    if (jail_embedded_v4(&key, &v4) != 0) add();
    if (jail_is_translated(&key) == 0) return forms;
    for (int form = 0; form < JAIL_TRANSLATED_FORMS; ++form) {
        v4 = jail_translated_v4(&key, form);
        if (v4 != 0) add();
    }
    return forms;
}

}  // namespace

JAIL_INLINE const jail_rule* jail_lookup(const void* rules, const jail_key* key) {
    const jail_ai::Rule* rule =
        jail_ai::find_rule(*static_cast<const jail_ai::Rules*>(rules), prefix_of(*key));
    return rule == nullptr ? nullptr : &rule->value;
}

namespace jail_ai {

Evaluation evaluate(const Rules& rules, const IpPrefix& address, std::uint8_t protocol,
                    std::uint16_t port) {
    const jail_key& key = address.key();
    const int verdict = jail_evaluate(&rules, &key, protocol, port);
    Evaluation evaluation{
        verdict != JAIL_VERDICT_PASS,
        verdict == JAIL_VERDICT_PASS ? JAIL_REASON_COUNT : static_cast<jail_reason>(verdict),
        nullptr, nullptr, std::nullopt};
    const auto* decides = find_entry(rules, address);
    // The form inside decides where the address as it stands passes.
    if (jail_evaluate_key(&rules, &key, protocol, port) == JAIL_VERDICT_PASS) {
        for (const IpPrefix& inside : forms_inside(key)) {
            const auto* entry = find_entry(rules, inside);
            if (entry == nullptr ||
                (evaluation.denied
                     ? jail_evaluate_key(&rules, &inside.key(), protocol, port) != verdict
                     : decides != nullptr))
                continue;
            decides = entry;
            evaluation.form = inside;
            break;
        }
    }
    if (decides == nullptr) return evaluation;
    evaluation.prefix = &decides->first;
    evaluation.rule = &decides->second;
    return evaluation;
}

}  // namespace jail_ai
