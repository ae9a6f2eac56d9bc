// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See rig.h.
#include "rig.h"

namespace jail_ai::test {

// The hook wants the container's process alone in the cgroup: it runs before there is anything below.
Rig::Rig(const NetworkNamespace& where)
    : network(where),
      stranger(Whereabouts{.cgroup = &outside, .network = &where}),
      neighbour(Whereabouts{.cgroup = &outside, .network = &where}),
      container(Container::Options{.network = &where}),
      outcome(container.run_hook()),
      below(container.cgroup, "below"),
      nested(Whereabouts{.cgroup = &below, .network = &where}) {
    if (outcome.exit_code != 0) throw std::runtime_error("the hook refused: " + outcome.err);
    if (jail_attachments(container.cgroup.fd()).size() != programs_of_a_jail()) throw std::runtime_error("not every program is attached");
}

}  // namespace jail_ai::test
