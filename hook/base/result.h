// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How functions report failure: a value, or an Error that says what went wrong, where, and which
// sysexits(3) code the process should end with. Library code returns; only the edge prints.
#pragma once

#include <sysexits.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace jail_ai {

// A failure. `message` is one line in lower case without a full stop; strings from outside are in
// it through quote().
struct Error {
    int exit_code;  // of sysexits.h
    std::string message;

    // Puts what was being done in front: "read container state: …".
    Error context(std::string_view doing) && {
        message.insert(0, ": ").insert(0, doing);
        return std::move(*this);
    }
};

// An Error for a failed system call: "DOING: No such file or directory". `number` is an errno
// value; those that mean a lack of privilege end in EX_NOPERM.
inline Error system_error(std::string_view doing, int number, int exit_code = EX_OSERR) {
    const bool forbidden = number == EPERM || number == EACCES;
    return Error{forbidden ? EX_NOPERM : exit_code, std::string(doing) + ": " + ::strerror(number)};
}

template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }

    T& value() & {
        assert(*this);
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        assert(*this);
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        assert(*this);
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const& {
        assert(!*this);
        return *std::get_if<1>(&state_);
    }
    Error&& error() && {
        assert(!*this);
        return std::move(*std::get_if<1>(&state_));
    }

    // As Error::context(), of the error if it is one.
    Result context(std::string_view doing) && {
        if (!*this) return std::move(*this).error().context(doing);
        return std::move(*this);
    }

private:
    std::variant<T, Error> state_;
};

// The value of a Result. If it is an error, the function that this stands in returns that:
//
//     auto cgroup = TRY(Cgroup::for_pid_namespace(process));
//
// By a statement expression, an extension that GCC and clang have. Not among other arguments.
#define TRY(expression) TRY_NUMBERED(expression, __COUNTER__)
#define TRY_NUMBERED(expression, number) TRY_AS(expression, TRY_NAME(number))
#define TRY_NAME(number) tried_##number
#define TRY_AS(expression, tried)                    \
    __extension__({                                  \
        auto tried = (expression);                   \
        if (!tried) return std::move(tried).error(); \
        std::move(tried).value();                    \
    })

using Status = Result<std::monostate>;

inline Status ok() {
    return std::monostate{};
}

}  // namespace jail_ai
