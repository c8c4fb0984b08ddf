namespace Postern.Tests.Netns.Http;

/// <summary>Shares one proxy.</summary>
[CollectionDefinition(nameof(ForeignHttp))]
public sealed class ForeignHttp : ICollectionFixture<HttpRig>;
