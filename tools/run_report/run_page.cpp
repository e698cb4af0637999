#include "tools/run_report/run_page.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/markup.hpp"
#include "engine/io/svg_plot.hpp"
#include "kernels/core/error.hpp"
#include "tools/page/html_page.hpp"
#include "tools/profile/byte_size.hpp"
#include "tools/progress.hpp"
#include "tools/recipe/recipe_keys.hpp"
#include "tools/run_report/metric_plots.hpp"

#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

constexpr size_t kMostPreviews = 12;

constexpr std::string_view kStyle =
    R"(.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
           gap: .2rem 2rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(45%, 13rem), 1fr)); gap: 1rem; }
.settings { columns: 24rem; column-gap: 2rem; }
.settings section { break-inside: avoid; }
.settings h3 { margin-top: 0; }
.settings table { margin-bottom: 1rem; }
.columns > *, .pictures > * { min-width: 0; }
figure { margin: 0; }
figcaption { color: var(--faint); font-size: .9rem; }
img { display: block; width: 100%; height: auto; }
h3 { font-size: 1rem; font-weight: 600; margin: 1rem 0 .2rem; }
)";

/// "2,500".
std::string counted(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string result;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool group = i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0;
    if (group) result += ',';
    result += digits[i];
  }
  return result;
}

/// Whole numbers where digits behind the point say nothing.
std::string rate(double value) {
  return value >= 100 ? counted(std::llround(value)) : fmt::format("{:.3g}", value);
}

/// What is known of the training's state; of an end that lies behind the last line of metrics.jsonl nothing is.
std::string state_words(const RunRecord& record, const std::optional<TrainingStatus>& status) {
  if (!status) {
    return fmt::format("no end was told: it still trains, or was killed after step {}", counted(record.last_step()));
  }
  const std::string place = fmt::format("step {} of {}", counted(status->step), counted(status->steps));
  if (status->state == "training") return fmt::format("training, at {}", place);
  if (status->state == "stopped") return fmt::format("stopped by a signal at {}; --resume goes on", place);
  if (status->state == "failed") return fmt::format("failed at {}: {}", place, status->message);
  return fmt::format("{}, {}", status->state, place);
}

std::string state_table(const RunRecord& record, const std::optional<TrainingStatus>& status) {
  HtmlFacts facts{{"state", state_words(record, status)}};
  const Recipe& recipe = record.recipe;
  facts.emplace_back("data", recipe.data.name);
  facts.emplace_back("network", recipe.has_classifier ? "classifier"
                                : recipe.has_critic
                                    ? fmt::format("{} against {}", recipe.score.name, recipe.critic.name)
                                    : recipe.score.name);
  const int64_t step = status ? status->step : record.last_step();
  facts.emplace_back("samples seen", fmt::format("{}, in batches of {}", counted(step * recipe.training.batch_size),
                                                 counted(recipe.training.batch_size)));
  if (const double speed = last_metric(record, "samples_per_second"); std::isfinite(speed)) {
    facts.emplace_back("throughput", fmt::format("{} samples per second", rate(speed)));
  }
  const double seconds = status ? status->seconds : last_metric(record, "seconds");
  if (std::isfinite(seconds)) facts.emplace_back("time since the last start", duration(seconds));
  if (status) {
    facts.emplace_back("memory of tensors, at most",
                       shown_bytes(static_cast<double>(status->peak_bytes)) + (status->ranks > 1 ? ", of rank 0" : ""));
    facts.emplace_back("computed on", fmt::format("{} in {}, {} {}", status->device, status->precision, status->threads,
                                                  status->threads == 1 ? "thread" : "threads"));
  }
  if (const double ranks = last_metric(record, "world_size"); ranks > 1) {
    facts.emplace_back("ranks", fmt::format("{:.0f}", ranks));
  }
  return html_facts(facts);
}

std::string numbers_table(const RunRecord& record) {
  const std::vector<MetricSummary> summaries = metric_summaries(record);
  if (summaries.empty()) return "<p>No step has been logged yet.</p>\n";
  std::string rows =
      "<tr><th>loss</th><th class=\"number\">first</th><th class=\"number\">least, at step</th>"
      "<th class=\"number\">last</th></tr>\n";
  for (const auto& [name, first, least, last, least_step] : summaries) {
    rows += fmt::format(
        "<tr><td>{}</td><td class=\"number\">{:.4g}</td><td class=\"number\">{:.4g}, {}</td>"
        "<td class=\"number\">{:.4g}</td></tr>\n",
        escape_markup(name), first, least, counted(least_step), last);
  }
  return "<table>\n" + rows + "</table>\n";
}

std::string curves(const RunRecord& record) {
  std::string markup = "<div class=\"columns\">\n";
  for (const LinePlot& plot : metric_plots(record)) {
    markup += fmt::format("<section>\n<h3>{}</h3>\n{}{}</section>\n", escape_markup(plot.title), svg_plot(plot),
                          svg_plot_legend(plot));
  }
  return markup + "</div>\n";
}

/// A picture as part of the page.
std::string figure(const std::filesystem::path& file, const std::string& caption) {
  const std::vector<std::byte> bytes = read_file(file);
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  if (!std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).starts_with(kSignature)) {
    throw DataError(fmt::format("{}: is no PNG picture; remove it", file.string()));
  }
  return fmt::format(
      "<figure><img alt=\"{0}\" src=\"data:image/png;base64,{1}\"><figcaption>{0}</figcaption></figure>\n",
      escape_markup(caption), to_base64(bytes));
}

/// First and last preview, and others evenly between.
std::string previews(const std::vector<RunPicture>& all) {
  std::string markup;
  const size_t shown = std::min(kMostPreviews, all.size());
  for (size_t i = 0; i < shown; ++i) {
    const RunPicture& one = all[shown == 1 ? 0 : i * (all.size() - 1) / (shown - 1)];
    markup += figure(one.file, fmt::format("step {}", counted(one.step)));
  }
  return "<div class=\"pictures\">\n" + markup + "</div>\n";
}

std::string grids(const std::vector<RunPicture>& all) {
  std::string markup;
  for (const RunPicture& one : all) {
    for (const GridKind& kind : kGridKinds) {
      if (one.kind == kind.kind) markup += figure(one.file, kind.caption);
    }
  }
  return fmt::format(
      "<h2>Samplers side by side</h2>\n<p>Step {}, all from one seed.</p>\n<div class=\"pictures\">\n{}</div>\n",
      counted(all.front().step), markup);
}

/// Every key, a table per section.
std::string settings(Recipe recipe) {
  std::string markup;
  std::string_view section;
  HtmlFacts facts;
  const auto end_section = [&] {
    if (!facts.empty()) {
      markup += fmt::format("<section>\n<h3>{}</h3>\n{}</section>\n", escape_markup(section.empty() ? "run" : section),
                            html_facts(facts));
    }
    facts.clear();
  };
  for (const RecipeKey& key : recipe_keys()) {
    if (!has_section(recipe, key.section())) continue;
    if (key.section() != section) end_section();
    section = key.section();
    facts.emplace_back(key.name(), toml_value(key.slot(recipe)));
  }
  end_section();
  return "<div class=\"settings\">\n" + markup + "</div>\n";
}

}  // namespace

std::string run_page(const RunRecord& record, const std::optional<TrainingStatus>& now) {
  std::optional<TrainingStatus> status = now ? now : record.end;
  if (status && !now && status->step < record.last_step()) status.reset();  // the end of an earlier start
  std::string body = fmt::format("<h1>{}</h1>\n<p>{}</p>\n", escape_markup(record.name),
                                 record.recipe.has_classifier ? "Classification"
                                 : record.recipe.has_critic   ? "Adversarial score matching"
                                                              : "Denoising score matching");
  body += state_table(record, status);
  body += "<h2>Losses</h2>\n" + numbers_table(record) + curves(record);
  if (!record.previews.empty()) body += "<h2>Samples over time</h2>\n" + previews(record.previews);
  if (!record.grids.empty()) body += grids(record.grids);
  body += "<h2>Settings</h2>\n" + settings(record.recipe);
  return html_page(record.name, svg_plot_style() + std::string(kStyle), body);
}

void write_run_page(const std::filesystem::path& run, const std::optional<TrainingStatus>& now) {
  write_file_atomically(run / kPageFile, run_page(read_run(run), now));
}

}  // namespace ascore::tools
