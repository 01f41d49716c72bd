#include "launcher/commands/log.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace convoy {
namespace {

constexpr size_t kLinesOfAScreen = 8192;

void SetUp(spdlog::logger* logger) {
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e  %v");
  logger->flush_on(spdlog::level::info);
}

LogFunction LogTo(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("convoy", std::move(sink));
  SetUp(logger.get());
  return [logger](const std::string& line) { logger->info("{}", line); };
}

}  // namespace

LogFunction LogToScreen() { return LogTo(std::make_shared<spdlog::sinks::stdout_sink_mt>()); }

LogFunction LogToScreenWithoutWaiting() {
  auto writer = std::make_shared<spdlog::details::thread_pool>(kLinesOfAScreen, /*threads=*/1);
  auto logger = std::make_shared<spdlog::async_logger>(
      "convoy", std::make_shared<spdlog::sinks::stdout_sink_mt>(), writer,
      spdlog::async_overflow_policy::overrun_oldest);
  SetUp(logger.get());
  // The logger knows the thread only weakly: the function keeps it.
  return [logger, writer](const std::string& line) { logger->info("{}", line); };
}

LogFunction LogToFile(const std::string& path) {
  return LogTo(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
}

}  // namespace convoy
