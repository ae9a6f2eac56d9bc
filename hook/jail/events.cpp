// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/absence.h"
#include "base/clock.h"
#include "jail/open_jail.h"

namespace jail_ai {
namespace {

// The kernel numbers programs upwards and begins again at the end of its numbers, so that a new one
// may have a low number.
constexpr unsigned kCallsBetweenFullScans = 64;

// Events taken from one jail at a time, so that a busy jail does not keep the others waiting. The
// rest makes the descriptor readable again.
constexpr unsigned kMostAtOnce = 1024;

constexpr unsigned kLooksPerCount = 5;  // looks for new jails, between counts of what was lost

// Three descriptors a jail. If that isn't allowed, opening one too many fails.
void allow_many_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

class Events::Stream {
public:
    // Takes the descriptors out of the jail's maps; nothing if it is of a version without such a
    // buffer.
    static Result<std::shared_ptr<Stream>> make(OpenJail jail, std::uint64_t since,
                                                bool was_there_before) {
        auto stream = std::make_shared<Stream>();
        stream->program_ = jail.program;
        stream->since_ = since;
        for (ProgramMap& map : jail.maps) {
            if (map.name == "jail_events") stream->events_ = std::move(map.fd);
            if (map.name == "jail_denials") stream->denials_ = std::move(map.fd);
            if (map.name == "jail_recent") stream->recent_ = std::move(map);
        }
        if (!stream->events_ || !stream->denials_) return std::shared_ptr<Stream>();
        if (was_there_before) {
            TRY(stream->count_lost());
        }
        stream->ring_.reset(
            ::ring_buffer__new(stream->events_.get(), &Stream::receive, stream.get(), nullptr));
        if (stream->ring_ == nullptr) return system_error("read jail_events", errno);
        return stream;
    }

    Status take(const Each& each) {
        each_ = &each;
        left_ = kMostAtOnce;
        const int got = ::ring_buffer__consume(ring_.get());
        each_ = nullptr;
        if (got < 0 && got != -EAGAIN) return system_error("read jail_events", -got);
        return ok();
    }

    // Since the last call.
    Result<std::uint64_t> count_lost() {
        Counters counters{};
        TRY(read_counters(denials_.get(), counters));
        const std::uint64_t fresh = counters[JAIL_LOST_EVENTS] - lost_;
        lost_ = counters[JAIL_LOST_EVENTS];
        return fresh;
    }

    bool has_ended() const {
        const UniqueFd program(::bpf_prog_get_fd_by_id(program_));
        return !program && means_absent(Sought::bpf_object, errno);
    }

    // What the jail has to say in the end: its maps are there for as long as they are open here.
    Result<JailSnapshot> last_words() {
        JailSnapshot jail;
        Counters counters{};
        TRY(read_counters(denials_.get(), counters));
        std::copy_n(counters.begin(), jail.denials.size(), jail.denials.begin());
        if (recent_) jail.recent_denials = TRY(read_recent_denials(*recent_));
        jail.metadata = metadata_;
        return jail;
    }

    // The label of a jail in the making comes after its programs.
    const std::string& container() {
        if (!metadata_) collect_label();
        static const std::string unknown;
        return metadata_ ? metadata_->container : unknown;
    }

    int events_fd() const { return events_.get(); }

private:
    struct RingDeleter {
        void operator()(ring_buffer* ring) const { ::ring_buffer__free(ring); }
    };

    static int receive(void* self, void* data, std::size_t size) {
        auto& stream = *static_cast<Stream*>(self);
        jail_event event{};
        if (size < sizeof event || stream.each_ == nullptr) return 0;
        std::memcpy(&event, data, sizeof event);
        const std::string& container = stream.container();
        if (event.when >= stream.since_)
            (*stream.each_)({event, container,
                             stream.metadata_ ? stream.metadata_->mode : Mode::enforce,
                             stream.metadata_ ? stream.metadata_->cgroup : 0});
        return --stream.left_ == 0 ? -EAGAIN : 0;
    }

    void collect_label() {
        const auto jail = open_jail(program_);
        if (!jail || !*jail) return;
        if (auto metadata = read_metadata((*jail)->maps)) metadata_ = std::move(*metadata);
    }

    std::uint32_t program_ = 0;
    std::uint64_t since_ = 0;
    UniqueFd events_;
    UniqueFd denials_;
    std::optional<ProgramMap> recent_;
    std::unique_ptr<ring_buffer, RingDeleter> ring_;
    std::uint64_t lost_ = 0;
    std::optional<JailMetadata> metadata_;
    const Each* each_ = nullptr;
    unsigned left_ = 0;
};

Result<Events> Events::open() {
    auto lock = TRY(LockFile::open(kEventsLock));
    auto taken = lock.take();
    if (!taken && taken.error().exit_code == EX_TEMPFAIL)
        return Error{EX_TEMPFAIL,
                     "another process takes the events already, log --follow or watch --log: end "
                     "that one, or read what it writes"};
    TRY(std::move(taken));
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return system_error("epoll", errno);
    allow_many_descriptors();
    return Events(std::move(lock), std::move(epoll), nanoseconds(CLOCK_BOOTTIME));
}

Status Events::begin() {
    TRY(find_new(true));
    // What is from before is read and dropped here, so that there is room for what comes.
    return take_all([](const DenialEvent&) {});
}

Status Events::find_new(bool were_there_before) {
    const bool everywhere = ++calls_ % kCallsBetweenFullScans == 0;
    last_program_ =
        TRY(for_each_jail(everywhere ? 0 : last_program_, others_, [&](OpenJail& jail) -> Status {
            const std::uint32_t program = jail.program;
            if (streams_.contains(program)) return ok();
            auto stream = TRY(Stream::make(std::move(jail), since_, were_there_before));
            if (stream == nullptr) return ok();
            epoll_event interest{};
            interest.events = EPOLLIN;
            if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stream->events_fd(), &interest) != 0)
                return system_error("watch jail_events", errno);
            streams_.emplace(program, std::move(stream));
            return ok();
        }));
    return ok();
}

// After a last look into the buffers of those that have ended.
Status Events::keep_up(const Each& each, const Ended& ended) {
    for (auto at = streams_.begin(); at != streams_.end();) {
        if (!at->second->has_ended()) {
            at->second->container();  // read while it can be
            ++at;
            continue;
        }
        TRY(at->second->take(each));
        const auto jail = TRY(at->second->last_words());
        ended(jail);
        at = streams_.erase(at);
    }
    return find_new(false);
}

Status Events::take_all(const Each& each) {
    for (const auto& [program, stream] : streams_) TRY(stream->take(each));
    return ok();
}

Status Events::report_lost(const Lost& lost_of) {
    for (const auto& [program, stream] : streams_) {
        auto lost = TRY(stream->count_lost());
        if (lost != 0) lost_of(stream->container(), lost);
    }
    return ok();
}

Status Events::take(const Each& each, const Lost& lost, const Ended& ended) {
    TRY(take_all(each));
    const std::uint64_t now = nanoseconds(CLOCK_MONOTONIC);
    if (now < next_look_) return ok();
    next_look_ = now + std::uint64_t{kLookMs} * 1'000'000;
    if (++looks_ % kLooksPerCount == 0) TRY(report_lost(lost));
    return keep_up(each, ended);
}

Status Events::take_last(const Each& each, const Lost& lost) {
    TRY(take_all(each));
    return report_lost(lost);
}

}  // namespace jail_ai
