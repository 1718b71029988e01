package dev.penstock.ops.simulate;

import java.util.List;
import java.util.Locale;

/** Draws cost against attainment as SVG: for each price ratio a panel, in it a point for each policy. */
public final class CostChart {
    private static final int WIDTH = 420;
    private static final int HEIGHT = 300;
    private static final int LEFT = 60;
    private static final int TOP = 46;
    private static final int LEGEND = 150;
    private static final List<String> COLOURS =
            List.of("#d62728", "#7f7f7f", "#1f77b4", "#9467bd", "#2ca02c", "#8c564b", "#ff7f0e", "#111111");

    private CostChart() {}

    /** The picture of these reports, each over a curve of fleet sizes. */
    public static String svg(List<Panel> panels) {
        int columns = Math.min(2, panels.size());
        int rows = Math.ceilDiv(panels.size(), columns);
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
                columns * WIDTH + LEGEND + 20,
                rows * HEIGHT + 10));
        for (int i = 0; i < panels.size(); i++) {
            panel(svg, panels.get(i), i % columns * WIDTH, i / columns * HEIGHT);
        }
        Policy[] policies = Policy.values();
        for (int i = 0; i < policies.length; i++) {
            int y = TOP + 18 * i;
            int x = columns * WIDTH + 10;
            svg.append(String.format(
                    "<circle cx=\"%d\" cy=\"%d\" r=\"5\" fill=\"%s\"/><text x=\"%d\" y=\"%d\">%s</text>%n",
                    x, y, COLOURS.get(i), x + 12, y + 4, policies[i].label()));
        }
        return svg.append("</svg>\n").toString();
    }

    private static void panel(StringBuilder svg, Panel panel, int x, int y) {
        double right =
                1.15 * panel.points.stream().mapToDouble(Point::cost).max().orElse(1);
        double floor = Math.min(
                0.98, panel.points.stream().mapToDouble(Point::attainment).min().orElse(0.98));
        double bottom = Math.floor(floor * 50) / 50;
        int plotWidth = WIDTH - LEFT - 20;
        int plotHeight = HEIGHT - TOP - 44;
        svg.append(String.format(
                Locale.ROOT,
                "<g transform=\"translate(%d,%d)\"><text x=\"%d\" y=\"24\" font-size=\"13\" font-weight=\"bold\">%s</text>%n<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\"/>%n",
                x,
                y,
                LEFT,
                panel.title.replace("&", "&amp;").replace("<", "&lt;"),
                LEFT,
                TOP,
                plotWidth,
                plotHeight));
        for (int i = 0; i <= 4; i++) {
            double cost = right * i / 4;
            double kept = bottom + (1 - bottom) * i / 4;
            svg.append(String.format(
                    Locale.ROOT,
                    "<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%.2f</text><text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%.1f %%</text>%n",
                    LEFT + plotWidth * i / 4.0,
                    TOP + plotHeight + 15,
                    cost,
                    LEFT - 5,
                    TOP + plotHeight * (1 - i / 4.0) + 4,
                    100 * kept));
        }
        double line = TOP + plotHeight * (1 - (panel.wanted - bottom) / (1 - bottom));
        svg.append(String.format(
                Locale.ROOT,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#bbb\" stroke-dasharray=\"4 3\"/><text x=\"%d\" y=\"%d\" text-anchor=\"middle\">USD of work per 1,000 requests</text>%n",
                LEFT,
                LEFT + plotWidth,
                line,
                line,
                LEFT + plotWidth / 2,
                TOP + plotHeight + 32));
        for (Point p : panel.points) {
            double px = LEFT + plotWidth * p.cost / right;
            double py = TOP + plotHeight * (1 - (p.attainment - bottom) / (1 - bottom));
            svg.append(String.format(
                    Locale.ROOT,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\" fill-opacity=\"0.8\"><title>%s: %.2f %%, %.4f USD</title></circle>%n",
                    px,
                    py,
                    p.policy == Policy.PENSTOCK ? 7 : 5,
                    COLOURS.get(p.policy.ordinal()),
                    p.policy.label(),
                    100 * p.attainment,
                    p.cost));
        }
        svg.append("</g>\n");
    }

    /**
     * A diagram.
     *
     * @param title above it
     * @param wanted attainment that is marked
     * @param points in it
     */
    public record Panel(String title, double wanted, List<Point> points) {
        /** The policies of a report. */
        public static Panel of(SimulationReport report) {
            return new Panel(
                    String.format(Locale.ROOT, "%s, price ratio %.2f", report.trace(), report.priceRatio()),
                    report.attainmentWanted(),
                    report.policies().stream()
                            .map(l -> new Point(
                                    Policy.ofLabel(l.name()).orElseThrow(), l.attainment(), l.costPer1000Usd()))
                            .toList());
        }
    }

    /**
     * A policy's place.
     *
     * @param policy which
     * @param attainment upward
     * @param cost to the right
     */
    public record Point(Policy policy, double attainment, double cost) {}
}
