// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "scene.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "kernel_bpf.h"

namespace jail_ai::test {

Scene::Scene(const NetworkNamespace& network, const char* annotations)
    : container(Container::Options{.network = &network, .annotations = annotations}),
      outsider(Whereabouts{.cgroup = &outside, .network = &network}) {
    const HookOutcome outcome = container.run_hook();
    if (outcome.exit_code != 0) throw std::runtime_error("the hook refused: " + outcome.err);
    // Without programs everything passes, and that would prove nothing.
    if (jail_attachments(container.cgroup.fd()).empty())
        throw std::runtime_error("the hook attached nothing");
}

Scene& Scene::own_network() {
    static Scene scene(Laboratory::get().network.container);
    return scene;
}

Scene& Scene::host_network() {
    static Scene scene(Laboratory::get().network.host);
    return scene;
}

void Scene::expect_blocked(Way way, const Destination& to, Place at, jail_reason reason,
                           const Destination& control) {
    Witness& witness = Laboratory::get().network.witness;
    const Token jailed = fresh_token();
    const Token free = fresh_token();
    const Token passing = fresh_token();
    const DenialCounts before = denials(container.cgroup);
    CHECK(error_name(container.init.run([=] { return attempt(way, to, jailed); })) == "EPERM");
    const DenialCounts after = denials(container.cgroup);
    CHECK(change(before, after) == one_more(reason));

    CHECK(error_name(outsider.run([=] { return attempt(way, to, free); })) == "none");
    CHECK(arrival(free, at) == name_of(at));
    CHECK_FALSE(witness.has_seen(jailed));

    CHECK(error_name(container.init.run([=] { return attempt(way, control, passing); })) == "none");
    CHECK(arrival(passing, Place::internet) == "internet");
    CHECK(change(after, denials(container.cgroup)) == "");
}

void Scene::expect_passes(Way way, const Destination& to, Place at) {
    const Token token = fresh_token();
    const DenialCounts before = denials(container.cgroup);
    CHECK(error_name(container.init.run([=] { return attempt(way, to, token); })) == "none");
    CHECK(arrival(token, at) == name_of(at));
    CHECK(change(before, denials(container.cgroup)) == "");
}

}  // namespace jail_ai::test
