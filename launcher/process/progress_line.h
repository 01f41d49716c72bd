// Progress as text. Pure functions.
#ifndef CONVOY_LAUNCHER_PROCESS_PROGRESS_LINE_H_
#define CONVOY_LAUNCHER_PROCESS_PROGRESS_LINE_H_

#include <string>

#include "launcher/process/progress_state.h"

namespace convoy {

// "0:07", "12:34", "1:02:03"; at most "999:59:59".
std::string FormatSeconds(double seconds);

// "loss 0.4377, accuracy 0.8429"; "": nothing was measured.
std::string MeasuredText(const MeasuredValues& values);

// One line for a terminal of `width` columns, at most width - 1 long so that it never wraps: a bar,
// then epoch, loss, accuracy, speed and time left. What matters least is left out first. `color`:
// with escape sequences, which have no width.
std::string RenderTerminalLine(const ProgressState& state, int width, bool color);

// A train report as a line for logs and pipes.
std::string RenderTrainLine(const ProgressState& state);
// A validation report.
std::string RenderValidationLine(const ProgressState& state);
// A report of the validation of old data.
std::string RenderValidationOldLine(const ProgressState& state);
// The report of the test.
std::string RenderTestLine(const ProgressState& state);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_PROGRESS_LINE_H_
