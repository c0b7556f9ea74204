"use strict";
// Figures are drawn from the JSON that stands beside them; nothing is fetched.
(function () {
  var narrow = window.matchMedia("(max-width: 860px)").matches;
  // A phone's figure is narrow: smaller titles fit, and a legend below needs room for a second line of labels.
  function shrink(layout) {
    Object.keys(layout).forEach(function (name) {
      var part = layout[name];
      if (/^(title|[xy]axis\d*)$/.test(name) && part) {
        var title = name === "title" ? part : part.title;
        if (title && title.text) { title.font = Object.assign({}, title.font, { size: name === "title" ? 13 : 11 }); }
      }
    });
    var legend = layout.legend;
    if (legend && legend.orientation === "h" && legend.y < 0 && legend.y > -0.3) { legend.y -= 0.08; }
  }
  function draw(box) {
    var spec = JSON.parse(box.querySelector("script").textContent);
    var layout = spec.layout || {};
    layout.autosize = true;
    delete layout.width;
    if (narrow) { shrink(layout); }
    var target = box.querySelector("div");
    Plotly.newPlot(target, spec.data || [], layout, { responsive: true, displaylogo: false, displayModeBar: false })
      .then(function () { if (spec.frames && spec.frames.length) { Plotly.addFrames(target, spec.frames); } });
  }
  document.addEventListener("DOMContentLoaded", function () {
    if (narrow) { document.querySelectorAll("nav.toc details").forEach(function (each) { each.open = false; }); }
    document.querySelectorAll(".wb-figure").forEach(draw);
  });
})();
