// A RunView as lines for a terminal. Pure functions.
#ifndef CONVOY_LAUNCHER_WATCH_VIEW_TEXT_H_
#define CONVOY_LAUNCHER_WATCH_VIEW_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "launcher/watch/run_view.h"

namespace convoy {

struct ViewTextOptions {
  int width = 0;   // columns; longer lines are cut to one less. 0: as long as they are
  int height = 0;  // at most so many lines; events go first, then processes. 0: any number
  bool color = false;
};

std::vector<std::string> RenderView(const RunView& view, const ViewTextOptions& options);

// At most `columns` characters of UTF-8; control characters, which could move the cursor, become
// '?'.
std::string ScreenText(std::string_view text, size_t columns);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_VIEW_TEXT_H_
