"use strict";
// Every text goes through textContent: nothing that the service says becomes markup.

const EVERY_MS = 5000;
const STATUSES = ["accepted", "committed", "rejected"];
const $ = (id) => document.getElementById(id);
const whole = (n) => (n === null || n === undefined ? "–" : Math.round(n).toLocaleString("en"));

function say(id, text, kind = "") {
  $(id).textContent = text;
  $(id).className = kind;
}

function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 90) return `${whole(seconds)} s`;
  if (seconds < 5400) return `${whole(seconds / 60)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
  if (seconds < 63072000) return `${whole(seconds / 86400)} days`;
  return seconds < 3e9 ? `${whole(seconds / 31536000)} years` : "more than a century";
}

const blocks = (n) => `${whole(n)} ${n === 1 ? "block" : "blocks"}`;

function ether(wei) {
  if (wei === null) return "–";
  const micro = BigInt(wei) / 10n ** 12n;
  return `${(micro / 1000000n).toLocaleString("en")}.${String(micro % 1000000n).padStart(6, "0").slice(0, 4)}`;
}

function atMostMillion(n) {
  if (n === null || n === undefined) return "–";
  return n > 1e6 ? "over a million" : whole(n);
}

function rows(id, lines, none) {
  const made = lines.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
    return row;
  });
  if (!made.length) {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("td"), { textContent: none, className: "none", colSpan: 9 }));
    made.push(row);
  }
  $(id).replaceChildren(...made);
}

function ledger(id, lines) {
  $(id).replaceChildren(...lines.map(([name, text, kind = ""]) => {
    const line = document.createElement("div");
    line.append(Object.assign(document.createElement("dt"), { textContent: name }));
    line.append(Object.assign(document.createElement("dd"), { textContent: text, className: kind }));
    return line;
  }));
}

function show(now) {
  const { chain, outbox, relayer, keeper, reorganisations } = now;
  say("version", now.gridweave);
  say("chain-id", String(now.chainId));
  if (!now.ready) say("state", `Not ready: ${now.reason}.`, "bad");
  else if (now.warnings.length) say("state", "Serving, and somebody is wanted.", "bad");
  else say("state", "Everything is in order.", "good");
  $("warnings").replaceChildren(...now.warnings.map((text) => Object.assign(document.createElement("li"), { textContent: `${text}.` })));

  say("head", whole(chain.headBlock));
  say("head-note", chain.headTime ? `${new Date(chain.headTime * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC` : "the node has not answered");
  say("lag", blocks(chain.lagBlocks), chain.lagBlocks > 10 ? "bad" : "");
  say("lag-note", `${span(chain.lagSeconds)} of chain time; final up to ${whole(chain.finalBlock)}`);
  const waiting = (outbox ? outbox.items : []).filter((item) => item.status === "accepted").reduce((sum, item) => sum + item.count, 0);
  say("waiting", outbox ? whole(waiting) : "–");
  say("waiting-note", outbox ? `oldest ${span(outbox.oldestSeconds.accepted)}; ${whole(outbox.accepted)} accepted ever` : "the database does not answer");
  say("orders", atMostMillion(relayer.ordersLeft), relayer.low ? "bad" : "");
  say("orders-note", relayer.hoursLeft === null ? "orders" : `orders; ${span(relayer.hoursLeft * 3600)} at its pace of late`);

  const kinds = new Map();
  for (const item of outbox ? outbox.items : []) kinds.set(item.kind, { ...kinds.get(item.kind), [item.status]: item.count });
  rows("items", [...kinds].map(([kind, counts]) => [kind, ...STATUSES.map((status) => whole(counts[status] || 0))]),
    outbox ? "Nothing is under way: all that was accepted is final." : "The database does not answer.");
  rows("markets", (now.markets || []).map((market) => [
    String(market.market), String(market.slot), new Date(market.startsAt * 1000).toISOString().slice(0, 16).replace("T", " "),
    market.priceMicroPerKwh === null ? "no trade" : (market.priceMicroPerKwh / 1e6).toFixed(4), `${(market.volumeWh / 1000).toFixed(3)} kWh`,
  ]), now.markets ? "Nothing was cleared yet." : "The database does not answer.");
  ledger("relayer", [
    ["address", relayer.address, "code"], ["balance", ether(relayer.balanceWei)], ["owed at most", ether(relayer.owedWei)],
    ["pays for", relayer.ordersLeft === null ? "gas is free" : `${atMostMillion(relayer.ordersLeft)} orders`],
  ]);
  ledger("keeper", [
    ["keeper", keeper.runs ? "runs here" : "does not run here"], ["due", whole(keeper.due)], ["given up", whole(keeper.givenUp), keeper.givenUp ? "bad" : ""],
    ["transactions open", outbox ? whole(outbox.batches.open) : "–"], ["not final yet", outbox ? whole(outbox.batches.mined) : "–"], ["readers of events", whole(now.streams)],
  ]);
  ledger("reorgs", [
    ["since the start", whole(reorganisations.count)], ["deepest", blocks(reorganisations.deepestBlocks)],
    ...reorganisations.newest.slice(0, 4).map((reorg) => [new Date(reorg.atMs).toISOString().slice(0, 19).replace("T", " "), `${blocks(reorg.depthBlocks)} above ${whole(reorg.forkBlock)}`]),
  ]);
  say("asked", `As of ${new Date().toISOString().slice(0, 19).replace("T", " ")} UTC.`);
}

async function ask() {
  try {
    const answer = await fetch("/v1/operations", { cache: "no-store" });
    if (answer.ok) show(await answer.json());
    else say("state", `The service answered ${answer.status}.`, "bad");
  } catch {
    say("state", "The service does not answer.", "bad");
  }
  setTimeout(ask, EVERY_MS);
}

ask();
