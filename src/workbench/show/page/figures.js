"use strict";
// Figures are drawn from the JSON that stands beside them; nothing is fetched.
(function () {
  var narrow = window.matchMedia("(max-width: 860px)").matches;
  function draw(box) {
    var spec = JSON.parse(box.querySelector("script").textContent);
    var layout = spec.layout || {};
    layout.autosize = true;
    delete layout.width;
    if (narrow && layout.title && layout.title.text) {
      layout.title.font = Object.assign({}, layout.title.font, { size: 13 });
    }
    var target = box.querySelector("div");
    Plotly.newPlot(target, spec.data || [], layout, { responsive: true, displaylogo: false, displayModeBar: false })
      .then(function () { if (spec.frames && spec.frames.length) { Plotly.addFrames(target, spec.frames); } });
  }
  document.addEventListener("DOMContentLoaded", function () {
    if (narrow) { document.querySelectorAll("nav.toc details").forEach(function (each) { each.open = false; }); }
    document.querySelectorAll(".wb-figure").forEach(draw);
  });
})();
