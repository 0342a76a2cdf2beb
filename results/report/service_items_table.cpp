#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"

namespace rackwright::results {

std::string service_items_html(const topology::RackEvaluation& evaluation) {
  if (evaluation.service_items.empty()) return "";
  std::string out = table_open("figures", "What a repair takes down",
                               {{"Part"},
                                {"In the rack", true},
                                {"Goes down"},
                                {"To be parted"},
                                {"Weight, kg", true},
                                {"Hot-swap"}});
  for (const topology::ServiceItem& item : evaluation.service_items) {
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"num\" data-head=\"In the rack\">{}</td>"
        "<td data-head=\"Goes down\">{}</td><td data-head=\"To be parted\">{}</td>"
        "<td class=\"num\" data-head=\"Weight, kg\">{}</td><td data-head=\"Hot-swap\">{}</td>"
        "</tr>\n",
        escape(item.part), item.count, escape(item.goes_down),
        item.isolation.empty() ? "–" : escape(item.isolation),
        item.kg ? fmt::format("{:.0f}", *item.kg) : blank_box(),
        item.hot_swap.empty() ? blank_box() : escape(item.hot_swap));
  }
  return out + table_close();
}

}  // namespace rackwright::results
