"""Line charts as SVG, by hand: panels side by side over a common legend, legible on light and on dark paper."""
import html
import math

HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 330, 66, 14, 44, 54  # of a panel and its margins
WIDTH = 860  # of all
LEGEND_LINE, LEGEND_COLUMN = 22, 400
# On white and on near-black; they differ for those who are colour-blind, too.
COLOURS = {"blue": ("#0b5cad", "#6cb6ff"), "orange": ("#b84a00", "#ff9d52"), "green": ("#1a7f37", "#56d364"),
           "grey": ("#6e7781", "#9198a1")}
STYLE = """text{font:13px sans-serif;fill:#1f2328}
.title{font-weight:bold;font-size:14px}.tick{font-size:12px}
.paper{fill:#ffffff}.grid{stroke:#d1d9e0;stroke-width:1}.axis{stroke:#59636e;stroke-width:1}
.line{fill:none;stroke-width:2}.dotted{stroke-dasharray:2 5;stroke-linecap:round}.dashed{stroke-dasharray:7 4}.range{stroke-width:1.5}
"""
DARK = """text{fill:#f0f6fc}.paper{fill:#0d1117}.grid{stroke:#3d444d}.axis{stroke:#9198a1}
"""


def style():
    def colours(which):
        return "".join(f".{name}{{stroke:{pair[which]}}}.dot.{name}{{fill:{pair[which]}}}\n" for name, pair in COLOURS.items())
    return f"{STYLE}{colours(0)}@media (prefers-color-scheme:dark){{{DARK}{colours(1)}}}"


def number(value):
    """As short as it goes: 0.25, 10, 2000."""
    return f"{value:.0f}" if value >= 1 and value == round(value) else f"{value:g}"


def nice_step(span, parts):
    """1, 2, 2.5 or 5 times a power of ten."""
    rough = span / parts
    power = 10 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)


class Panel:
    """One chart. XS are the places on the x axis, equally far apart, with their labels. A logarithmic y axis is for values that are
    far apart; else it begins at 0."""

    def __init__(self, title, x_label, xs, y_label, logarithmic=False):
        self.title, self.x_label, self.xs, self.y_label, self.logarithmic = title, x_label, xs, y_label, logarithmic
        self.lines = []

    def line(self, label, colour, points, kind="", ranges=()):
        """POINTS are y values, one for each x, or None; RANGES (least, most) pairs, or None."""
        self.lines.append((label, colour, kind, list(points), list(ranges)))

    def scale(self):
        values = [v for _, _, _, points, ranges in self.lines for v in [*points, *(e for r in ranges if r for e in r)]
                  if v is not None] or [1, 10]
        if not self.logarithmic:
            step = nice_step(max(values), 5)
            count = math.ceil(max(values) / step * 0.999)
            return 0, count * step, [i * step for i in range(count + 1)]
        low, high = math.floor(math.log10(min(v for v in values if v > 0))), math.ceil(math.log10(max(values))) + 1
        ticks = [m * 10.0 ** e for e in range(low, high + 1) for m in (1, 2, 5)]
        first = max(t for t in ticks if t <= min(values) * 1.0001)
        last = min(t for t in ticks if t >= max(values) * 0.9999 and t > first)
        return math.log10(first), math.log10(last), [t for t in ticks if first <= t <= last]

    def draw(self, left, width, out):
        low, high, ticks = self.scale()
        x0, x1, y0, y1 = left + LEFT, left + width - RIGHT, HEIGHT - BOTTOM, TOP
        inset = (x1 - x0) / len(self.xs) / 2

        def x_of(i):
            return x0 + inset + i * (x1 - x0 - 2 * inset) / max(1, len(self.xs) - 1)

        def y_of(value):
            return y0 - ((math.log10(value) if self.logarithmic else value) - low) / (high - low) * (y0 - y1)

        def text(x, y, what, anchor, more=""):
            out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{html.escape(what)}</text>')

        text(x0, 22, self.title, "start", ' class="title"')
        for tick in ticks:
            y = y_of(tick)
            out.append(f'<line class="grid" x1="{x0}" y1="{y:.1f}" x2="{x1}" y2="{y:.1f}"/>')
            text(x0 - 8, y + 4, number(tick), "end", ' class="tick"')
        out.append(f'<line class="axis" x1="{x0}" y1="{y0}" x2="{x1}" y2="{y0}"/>')
        for i, x in enumerate(self.xs):
            text(x_of(i), y0 + 18, str(x), "middle", ' class="tick"')
        text((x0 + x1) / 2, y0 + 40, self.x_label, "middle")
        y = (y0 + y1) / 2
        text(left + 16, y, self.y_label, "middle", f' transform="rotate(-90 {left + 16} {y:.1f})"')
        for _, colour, kind, points, ranges in self.lines:
            for i, span in enumerate(ranges):
                if span and y_of(span[0]) - y_of(span[1]) > 8:
                    out.append(f'<line class="range {colour}" x1="{x_of(i):.1f}" y1="{y_of(span[0]):.1f}" '
                               f'x2="{x_of(i):.1f}" y2="{y_of(span[1]):.1f}"/>')
            places = [f"{x_of(i):.1f},{y_of(v):.1f}" for i, v in enumerate(points) if v is not None]
            joined = " ".join(places)
            out.append(f'<polyline class="line {colour} {kind}" points="{joined}"/>')
            if kind != "dotted":
                out += ['<circle class="dot {}" cx="{}" cy="{}" r="3.5"/>'.format(colour, *place.split(",")) for place in places]


def figure(panels, description):
    """The panels in a row, and below them what each kind of line is, once."""
    legend = {}
    for panel in panels:
        for label, colour, kind, _, _ in panel.lines:
            legend.setdefault(label, (colour, kind))
    columns = (WIDTH - LEFT) // LEGEND_COLUMN + 1
    height = HEIGHT + 10 + LEGEND_LINE * math.ceil(len(legend) / columns) + 8
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
           f"<title>{html.escape(description)}</title>", f"<style>{style()}</style>",
           f'<rect class="paper" width="{WIDTH}" height="{height}"/>']
    for i, panel in enumerate(panels):
        panel.draw(i * WIDTH / len(panels), WIDTH / len(panels), out)
    for i, (label, (colour, kind)) in enumerate(legend.items()):
        x, y = LEFT + i % columns * LEGEND_COLUMN, HEIGHT + 10 + LEGEND_LINE * (i // columns)
        out.append(f'<line class="line {colour} {kind}" x1="{x}" y1="{y}" x2="{x + 34}" y2="{y}"/>')
        if kind != "dotted":
            out.append(f'<circle class="dot {colour}" cx="{x + 17}" cy="{y}" r="3.5"/>')
        out.append(f'<text x="{x + 44}" y="{y + 4}">{html.escape(label)}</text>')
    return "\n".join([*out, "</svg>", ""])
