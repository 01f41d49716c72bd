// What a process says when it crashes.
#ifndef CONVOY_LAUNCHER_COMMANDS_CRASH_REPORT_H_
#define CONVOY_LAUNCHER_COMMANDS_CRASH_REPORT_H_

namespace convoy {

// From now on SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL and SIGTRAP write the stack of the thread
// that crashed, with the names of its functions, to standard error, which in a child of the
// launcher is its log. Then the process ends by that signal, as without this. Call once, first
// thing in main; `program` is argv[0].
void InstallCrashReport(const char* program);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CRASH_REPORT_H_
