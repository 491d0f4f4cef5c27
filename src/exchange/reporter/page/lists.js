// Linked orders: the orders of a list as the engine takes them, and a live list as one line with one button.

// entry: the ticket's order; then: where a profit is taken or what follows is priced; stop: a stop price.
export function listOf(link, entry, then, stop) {
  const force = ["day", "gtc"].includes(entry.time_in_force) ? entry.time_in_force : "day";
  const exit = entry.side === "buy" ? "sell" : "buy";
  const follows = { side: exit, type: "limit", price: then, time_in_force: force };
  const against = (side) => ({ side, type: "stop", stop_price: stop, time_in_force: force });
  if (link === "oco") return [entry, against(entry.side)];
  return link === "bracket" ? [entry, follows, against(exit)] : [entry, follows];
}

// orders: those that are known; onCancel(id): cancels an order, and with it the whole list.
export function lineOf(list, orders, onCancel) {
  const line = document.createElement("li");
  const legs = list.order_ids.map((id) => {
    const order = orders.find((one) => one.id === id);
    return order ? `${order.side} ${order.leaves_qty} ${priced(order)}, live` : `order ${id}, live`;
  });
  const waiting = list.waiting.map((leg) => `${leg.side} ${priced(leg)}, waits for the entry`);
  line.append(`${list.contingency} in ${list.symbol}: ${[...legs, ...waiting].join("; ")} `);
  const button = document.createElement("button");
  button.textContent = "Cancel all of it";
  button.disabled = !list.order_ids.length;
  button.setAttribute("aria-label", `Cancel list ${list.list_id}`);
  button.addEventListener("click", () => onCancel(list.order_ids[0]));
  line.append(button);
  return line;
}

function priced(order) {
  return order.stop_price ? `stop ${order.stop_price}` : `at ${order.price ?? order.type}`;
}
