const describe = {
  price: ([time, price, volume]) => `${time}\n${price} per kWh\n${volume} kWh traded`,
  battery: ([time, , , , , stored]) => `${time}\n${stored} kWh held`,
  flow: ([time, , volume, given, drawn]) => `${time}\n${given} kWh given\n${drawn} kWh drawn\n${volume} kWh traded`,
};
for (const chart of document.querySelectorAll("[data-chart]")) {
  const plot = chart.querySelector(".plot");
  const cursor = plot.querySelector(".cursor");
  const tip = plot.querySelector(".tip");
  const show = (shown) => { cursor.hidden = tip.hidden = !shown; };
  plot.addEventListener("pointerleave", () => show(false));
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const at = Math.floor(((event.clientX - box.left) / box.width) * points.length);
    if (!points[at]) return show(false);
    show(true);
    const x = ((at + 0.5) / points.length) * box.width;
    tip.textContent = describe[chart.dataset.chart](points[at]);
    cursor.style.left = `${x}px`;
    tip.style.left = `${x + tip.offsetWidth + 14 > box.width ? x - tip.offsetWidth - 10 : x + 10}px`;
  });
}
