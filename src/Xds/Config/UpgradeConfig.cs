namespace Postern.Xds.Config;

/// <summary><c>UpgradeConfig</c> of a connection manager or a route.</summary>
/// <param name="UpgradeType">Such as <c>websocket</c> or <c>CONNECT</c>; case does not matter.</param>
/// <param name="Enabled">False takes it away; default true.</param>
public sealed record UpgradeConfig(string UpgradeType, bool Enabled);
