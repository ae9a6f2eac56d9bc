// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Help is made from a verb's row, whoever asks for it gets it, and whoever mistypes a verb is told
// where they are listed. (That the texts of the verbs that there are fit a screen is looked at by
// tests/docs/pages.)
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "commands/help.h"
#include "commands/listing.h"
#include "container/also_sets.h"
#include "some_verbs.h"

using namespace jail_ai;
using namespace jail_ai::test;

namespace {

bool asked(const Verb& verb, std::vector<std::string> words) {
    return asks_for_help(verb, as_words(words));
}

std::string listed(std::vector<std::string> words) {
    const auto text = list(kSomeVerbs, as_words(words));
    return text ? *text : text.error().message;
}

}  // namespace

TEST_CASE("help: usage, what it is, and a table of its options") {
    CHECK(
        help_of(kFetch) ==
        "usage: jail-ai-hook fetch [--json | --table] [--key=KEY=VALUE]… [--dry-run] [CONTAINER]…\n"
        "\n"
        "Gets it.\n"
        "As root. Fetches it.\n"
        "CONTAINER is an ID, the beginning of one, or a name.\n"
        "\n"
        "  --json           for machines\n"
        "  --table          for people\n"
        "  --key=KEY=VALUE  one more\n"
        "  --dry-run        changes nothing\n");
    const std::string text = help_of(kPut);
    CHECK(
        text.starts_with("usage: jail-ai-hook put (--pid=PID | --cgroup=DIRECTORY) [SETTING]… "
                         "[DESTINATION]\n\nPuts it.\n\n  --pid=PID      "));
    CHECK(text.find("\n  --enforce                      annotations") != std::string::npos);
}

TEST_CASE("help: a verb that becomes another program says where that stands") {
    CHECK(
        help_of(kBecome).starts_with("usage: jail-ai-hook become [SETTING]… -- PROGRAM "
                                     "[ARGUMENT]…\n\nBecomes it.\n\nSettings, "));
    CHECK(synopsis_of(kBecome) ==
          ".It Cm become Oo Ar setting Oc ... Fl - Ar program Oo Ar argument Oc ...\n");
}

TEST_CASE("help: the verbs are listed in their order") {
    const std::string text = help(kSomeVerbs);
    CHECK(text.find("\n  fetch          gets it\n  put            puts it\n") != std::string::npos);
}

TEST_CASE(
    "help: people's verbs tell it wherever --help stands, those of machines only where it stands "
    "first") {
    CHECK(asked(kFetch, {"--json", "--help"}));
    CHECK(asked(kFetch, {"-h"}));
    CHECK(asked(kPut, {"--help"}));
    CHECK_FALSE(asked(kPut, {"--block-host=true", "--help"}));
    CHECK_FALSE(asked(kFetch, {"--json"}));
    CHECK_FALSE(asked(kFetch, {}));
    CHECK_FALSE(asked(kPut, {}));
}

TEST_CASE("help: without a verb, or with an unknown one, it says what to do") {
    for (const char* typed : {"stauts", "createruntime", "x", "--json"})
        CHECK(wrong_verb(typed, kSomeVerbs) ==
              fmt::format("unknown verb '{}': jail-ai-hook --help lists the verbs", typed));
    CHECK(wrong_verb("", kSomeVerbs) == "no verb: jail-ai-hook fetch | put | --version | --help");
    CHECK(wrong_verb(std::string(10000, 's'), kSomeVerbs).size() < 500);
}

TEST_CASE("lists: for completions, an option a line with its values; for the manual, items") {
    CHECK(listed({"verbs"}) == "fetch\tgets it\nput\tputs it\n");
    CHECK(listed({"options", "fetch"}) ==
          "--json\t-\tfor machines\n--table\t-\tfor people\n--key\tKEY=VALUE\tone "
          "more\n--dry-run\t-\tchanges nothing\n"
          "--help\t-\twhat it takes\nCONTAINER\t-\t-\n");
    const std::string of_settings = listed({"options", "put"});
    CHECK(of_settings.find("\n--block-host\ttrue audit false\t") != std::string::npos);
    CHECK(of_settings.find(fmt::format("\n--also\tLIST {}\t",
                                       fmt::join(names_of(kAlsoSets), " "))) != std::string::npos);
    CHECK(of_settings.find("\n--accept\tLIST cap_net_admin cap_bpf ") != std::string::npos);
    CHECK(listed({"synopsis"}) ==
          ".It Cm fetch Oo Fl -json | Fl -table Oc Oo Fl -key Ns = Ns Ar key=value Oc ... Oo Fl "
          "-dry-run Oc Oo Ar container Oc ...\n"
          ".It Cm put Po Fl -pid Ns = Ns Ar pid | Fl -cgroup Ns = Ns Ar directory Pc Oo Ar setting "
          "Oc ... Oo Ar destination Oc\n");
    CHECK(listed({"annotations"}).starts_with("jail-ai.block-host\njail-ai.block-host.allow\n"));
    for (const auto& wrong :
         {std::vector<std::string>{}, {"nonsense"}, {"options"}, {"options", "nonsense"}})
        CHECK(listed(wrong).starts_with("there is no list of '"));
}
