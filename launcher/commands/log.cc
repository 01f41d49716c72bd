#include "launcher/commands/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace convoy {
namespace {

LogFunction LogTo(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("convoy", std::move(sink));
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e  %v");
  logger->flush_on(spdlog::level::info);
  return [logger](const std::string& line) { logger->info("{}", line); };
}

}  // namespace

LogFunction LogToScreen() { return LogTo(std::make_shared<spdlog::sinks::stdout_sink_mt>()); }

LogFunction LogToFile(const std::string& path) {
  return LogTo(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
}

}  // namespace convoy
