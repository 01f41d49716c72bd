// Writes a made-up click log, and on standard error what the true model scores on it.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <string>

#include "examples/criteo_like/best_scores.h"
#include "examples/criteo_like/click_model.h"

namespace {

using convoy::criteo_like::BestScores;
using convoy::criteo_like::ClickModel;
using convoy::criteo_like::ClickModelOptions;
using convoy::criteo_like::Impression;
using convoy::criteo_like::kFields;

struct Options {
  ClickModelOptions model;
  uint64_t rows = 0;
  uint64_t first = 0;
  std::string format = "libffm";
  std::string out;
};

constexpr size_t kFlushBytes = 1 << 20;

void AppendNumber(uint64_t number, std::string* text) {
  char digits[20];
  text->append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

void AppendLine(const Impression& impression, bool fields, std::string* text) {
  *text += impression.clicked ? '1' : '0';
  for (size_t field = 0; field < kFields; ++field) {
    *text += ' ';
    if (fields) {
      AppendNumber(field, text);
      *text += ':';
    }
    AppendNumber(impression.ids[field], text);
    *text += ":1";
  }
  *text += '\n';
}

// False: `file` could not be written.
bool WriteLog(const Options& options, const ClickModel& model, std::FILE* file, BestScores* best) {
  std::string text;
  for (uint64_t row = 0; row < options.rows; ++row) {
    const Impression impression = model.Draw(options.first + row);
    best->Add(impression.probability, impression.clicked);
    AppendLine(impression, options.format == "libffm", &text);
    if (text.size() < kFlushBytes && row + 1 < options.rows) continue;
    if (std::fwrite(text.data(), 1, text.size(), file) != text.size()) return false;
    text.clear();
  }
  return std::fflush(file) == 0;
}

void PrintBest(const BestScores& best) {
  std::fprintf(stderr,
               "impressions             %llu\n"
               "clicks                  %.4f\n"
               "best expected log loss  %.5f\n"
               "log loss of true model  %.5f\n"
               "AUC of true model       %.5f\n",
               static_cast<unsigned long long>(best.impressions()), best.click_rate(),
               best.entropy(), best.log_loss(), best.Auc());
}

void AddOptions(CLI::App* app, Options* options) {
  app->add_option("--rows", options->rows, "Impressions to write")
      ->required()
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 32));
  app->add_option("--first", options->first, "Number of the first one; a log has 2^40")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 40));
  app->add_option("--seed", options->model.seed, "Of model and log");
  app->add_option("--features", options->model.features, "Ids of all fields together")
      ->check(CLI::Range(10'000U, 1U << 30))
      ->capture_default_str();
  app->add_option("--exponent", options->model.exponent, "Of Zipf's law within a field")
      ->check(CLI::Range(0.0, 5.0))
      ->capture_default_str();
  app->add_option("--click-rate", options->model.click_rate, "Mean of the true probabilities")
      ->check(CLI::Range(0.001, 0.999))
      ->capture_default_str();
  app->add_option("--factor-deviation", options->model.factor_deviation,
                  "How strongly ids act together; 0: not at all, a logistic model")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app->add_option("--format", options->format, "libffm or libsvm")
      ->check(CLI::IsMember({"libffm", "libsvm"}))
      ->capture_default_str();
  app->add_option("--out", options->out, "File; default: standard output");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Writes a made-up click log with a known true model");
  Options options;
  AddOptions(&app, &options);
  CLI11_PARSE(app, argc, argv);
  const ClickModel model(options.model);
  std::FILE* const file = options.out.empty() ? stdout : std::fopen(options.out.c_str(), "wb");
  BestScores best;
  bool written = file != nullptr && WriteLog(options, model, file, &best);
  if (file != nullptr && file != stdout) written = std::fclose(file) == 0 && written;
  if (!written) {
    std::perror(options.out.empty() ? "standard output" : options.out.c_str());
    return 1;
  }
  PrintBest(best);
  return 0;
}
