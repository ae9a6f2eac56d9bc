// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/events.h"

#include <bpf/bpf.h>
#include <sys/resource.h>

#include <optional>

#include "base/absence.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/unique_fd.h"
#include "jail/fresh_denials.h"
#include "jail/inspect.h"

namespace jail_ai {
namespace {

// The kernel numbers programs upwards and begins again at the end of its numbers, so that a new one
// may have a low number.
constexpr unsigned kCallsBetweenFullScans = 64;

constexpr unsigned kLooksPerReport = 5;  // between reports of what was lost

}  // namespace

class Events::Stream {
public:
    // Takes the descriptors out of the jail's maps; nothing if it is of a version without them.
    static Result<std::shared_ptr<Stream>> make(OpenJail jail, bool was_there_before) {
        auto stream = std::make_shared<Stream>();
        stream->program_ = jail.program;
        for (ProgramMap& map : jail.maps) {
            if (map.name == "jail_denials") stream->counts_ = std::move(map);
            if (map.name == "jail_recent") stream->remembered_ = std::move(map);
        }
        if (!stream->counts_ || !stream->remembered_) return std::shared_ptr<Stream>();
        stream->collect_label();
        if (was_there_before) {
            const auto remembered = TRY(read_recent_denials(*stream->remembered_));
            stream->fresh_.pass_over(remembered, TRY(read_counts(stream->counts_->fd.get())));
        }
        return stream;
    }

    Status look(const Each& each) {
        if (!metadata_) collect_label();
        const auto counts = TRY(read_counts(counts_->fd.get()));
        if (!fresh_.has_more(counts)) return ok();
        auto remembered = TRY(read_recent_denials(*remembered_));
        for (const RecentDenial& denial : fresh_.take(counts, std::move(remembered)))
            each({denial, container(),
                  metadata_ ? std::string_view(metadata_->name) : std::string_view(),
                  metadata_ ? metadata_->mode : Mode::enforce});
        return ok();
    }

    void report_lost(const Lost& lost_of) {
        if (const std::uint64_t lost = fresh_.take_forgotten(); lost != 0)
            lost_of(container(), lost);
    }

    bool has_ended() const {
        const UniqueFd program(::bpf_prog_get_fd_by_id(program_));
        return !program && means_absent(Sought::bpf_object, errno);
    }

    // What the jail has to say in the end: its maps are there for as long as they are open here.
    Result<JailSnapshot> last_words() const {
        JailSnapshot jail;
        jail.denials = TRY(read_counts(counts_->fd.get()));
        jail.recent_denials = TRY(read_recent_denials(*remembered_));
        jail.metadata = metadata_;
        if (metadata_) jail.name = metadata_->name;
        return jail;
    }

private:
    std::string_view container() const {
        return metadata_ ? std::string_view(metadata_->container) : std::string_view();
    }

    // The label of a jail in the making comes after its programs, and its container may have gone
    // by the next look. So the program that the label is bound to is held, for as long as a hook
    // may take.
    void collect_label() {
        const auto jail = open_jail(program_);
        if (!jail || !*jail) return;
        if (auto metadata = read_metadata((*jail)->maps)) metadata_ = std::move(*metadata);
        const std::uint64_t now = nanoseconds(CLOCK_MONOTONIC);
        if (held_until_ == 0) held_until_ = now + std::uint64_t{kDeadlineSeconds} * 1'000'000'000;
        if (metadata_ || now >= held_until_)
            held_.reset();
        else if (!held_)
            held_ = UniqueFd(::bpf_prog_get_fd_by_id(program_));
    }

    std::uint32_t program_ = 0;
    UniqueFd held_;
    std::uint64_t held_until_ = 0;  // ns of CLOCK_MONOTONIC
    std::optional<ProgramMap> counts_;
    std::optional<ProgramMap> remembered_;
    FreshDenials fresh_;
    std::optional<JailMetadata> metadata_;
};

Events::Events() {
    // Two a jail. If that isn't allowed, opening one too many fails.
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

Status Events::begin() {
    return find_new(true);
}

Status Events::find_new(bool were_there_before) {
    const bool everywhere = ++calls_ % kCallsBetweenFullScans == 0;
    last_program_ =
        TRY(for_each_jail(everywhere ? 0 : last_program_, others_, [&](OpenJail& jail) -> Status {
            const std::uint32_t program = jail.program;
            if (streams_.contains(program)) return ok();
            auto stream = TRY(Stream::make(std::move(jail), were_there_before));
            if (stream != nullptr) streams_.emplace(program, std::move(stream));
            return ok();
        }));
    return ok();
}

Status Events::keep_up(const Each& each, const Lost& lost, const Ended& ended) {
    TRY(find_new(false));
    for (auto at = streams_.begin(); at != streams_.end();) {
        Stream& stream = *at->second;
        const bool has_ended = stream.has_ended();  // asked first: this look is the last then
        TRY(stream.look(each));
        if (!has_ended) {
            ++at;
            continue;
        }
        stream.report_lost(lost);
        ended(TRY(stream.last_words()));
        at = streams_.erase(at);
    }
    return ok();
}

void Events::report_lost(const Lost& lost) {
    for (const auto& [program, stream] : streams_) stream->report_lost(lost);
}

Status Events::take(const Each& each, const Lost& lost, const Ended& ended) {
    const std::uint64_t now = nanoseconds(CLOCK_MONOTONIC);
    if (now < next_look_) return ok();
    next_look_ = now + std::uint64_t{kLookMs} * 1'000'000;
    TRY(keep_up(each, lost, ended));
    if (++looks_ % kLooksPerReport == 0) report_lost(lost);
    return ok();
}

Status Events::take_last(const Each& each, const Lost& lost) {
    for (const auto& [program, stream] : streams_) TRY(stream->look(each));
    report_lost(lost);
    return ok();
}

}  // namespace jail_ai
