// A charge point by ocpp-rpc, a client that we did not write. Usage: charger.cjs URL VERSION
const assert = require("node:assert");
const { RPCClient } = require("ocpp-rpc");

const [endpoint, version] = process.argv.slice(2);
const now = () => new Date().toISOString();

async function session16(client) {
  const started = await client.call("StartTransaction", {
    connectorId: 1, idTag: "NODE", meterStart: 1000, timestamp: now(),
  });
  assert.equal(started.idTagInfo.status, "Accepted");
  await client.call("MeterValues", {
    connectorId: 1, transactionId: started.transactionId,
    meterValue: [{ timestamp: now(), sampledValue: [{ value: "1500", unit: "Wh" }] }],
  });
  await client.call("StopTransaction", {
    transactionId: started.transactionId, meterStop: 2500, timestamp: now(), reason: "Local",
  });
}

async function session2(client) {
  const event = (eventType, seqNo, value, context) => client.call("TransactionEvent", {
    eventType, seqNo, timestamp: now(), triggerReason: "ChargingStateChanged",
    transactionInfo: { transactionId: "node-1", chargingState: "Charging" },
    evse: { id: 1, connectorId: 1 }, idToken: { idToken: "NODE", type: "Central" },
    meterValue: [{ timestamp: now(), sampledValue: [{ value, context }] }],
  });
  const started = await event("Started", 0, 1000, "Transaction.Begin");
  assert.equal(started.idTokenInfo.status, "Accepted");
  await event("Updated", 1, 1500, "Sample.Periodic");
  await event("Ended", 2, 2500, "Transaction.End");
}

async function main() {
  const is16 = version === "ocpp1.6";
  const client = new RPCClient({
    endpoint, identity: `NODE-${version}`, protocols: [version], strictMode: false,
  });
  client.handle(({ method }) => ({ status: method === "Reset" ? "Rejected" : "Accepted" }));
  await client.connect();
  const station = { vendorName: "v", model: "m" };
  const boot = await client.call("BootNotification", is16
    ? { chargePointVendor: "v", chargePointModel: "m" }
    : { reason: "PowerUp", chargingStation: station });
  assert.equal(boot.status, "Accepted");
  assert.ok(Math.abs(Date.now() - Date.parse(boot.currentTime)) < 60_000);
  await (is16 ? session16 : session2)(client);
  await client.call("Heartbeat", {});
  await assert.rejects(client.call("Nonsense", {}), (error) => error.rpcErrorCode === "NotImplemented");
  await client.close();
  console.log("done");
}

main().catch((error) => { console.error(error); process.exit(1); });
