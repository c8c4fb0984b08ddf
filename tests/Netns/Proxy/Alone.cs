namespace Postern.Tests.Netns.Proxy;

/// <summary>Runs when nothing else does: it measures memory and takes most of the machine.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
