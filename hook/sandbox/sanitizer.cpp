// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Only for builds with the address sanitizer: its search for leaks traces the process, which a
// process that is not dumpable doesn't allow.
extern "C" const char*
__asan_default_options();  // NOLINT(bugprone-reserved-identifier): the sanitizer's name

const char* __asan_default_options() {
    return "detect_leaks=0";
}
