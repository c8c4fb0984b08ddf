using System;
using System.Collections.Generic;
using Postern.Proxy.Listeners;
using Postern.Xds.Config;

namespace Postern.Proxy.Discovery;

/// <summary>Opens and closes listeners; the <see cref="ListenerManager"/> outside of tests.</summary>
internal interface IListenerHost
{
    /// <inheritdoc cref="ListenerManager.Apply"/>
    IReadOnlyList<(string Name, string Error)> Apply(IReadOnlyList<ListenerConfig> configs, Func<ListenerConfig, ListenerSnapshot> compile);
}
