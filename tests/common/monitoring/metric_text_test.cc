#include "common/monitoring/metric_text.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(MetricTextTest, IsWhatPrometheusReads) {
  MetricList list;
  list.Counter("convoy_a_total", "Things", 12);
  list.Gauge("convoy_b_bytes", "Room", 0.5);
  list.Summary("convoy_c", "Sums", 3, 4.5);
  list.Histogram("convoy_d", "Sizes", 7, 20, {{0, 2}, {1, 5}});
  EXPECT_EQ(MetricText(list, "server", 3),
            "# HELP convoy_a_total Things\n# TYPE convoy_a_total "
            "counter\nconvoy_a_total{rank=\"3\",role=\"server\"} 12\n"
            "# HELP convoy_b_bytes Room\n# TYPE convoy_b_bytes "
            "gauge\nconvoy_b_bytes{rank=\"3\",role=\"server\"} 0.5\n"
            "# HELP convoy_c Sums\n# TYPE convoy_c "
            "summary\nconvoy_c_count{rank=\"3\",role=\"server\"} 3\n"
            "convoy_c_sum{rank=\"3\",role=\"server\"} 4.5\n"
            "# HELP convoy_d Sizes\n# TYPE convoy_d "
            "histogram\nconvoy_d_count{rank=\"3\",role=\"server\"} 7\n"
            "convoy_d_sum{rank=\"3\",role=\"server\"} 20\n"
            "convoy_d_bucket{rank=\"3\",role=\"server\",le=\"0\"} "
            "2\nconvoy_d_bucket{rank=\"3\",role=\"server\",le=\"1\"} 5\n"
            "convoy_d_bucket{rank=\"3\",role=\"server\",le=\"+Inf\"} 7\n");
}

}  // namespace
}  // namespace convoy
