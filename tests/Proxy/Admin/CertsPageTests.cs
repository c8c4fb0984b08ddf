using System.Linq;
using System.Threading.Tasks;
using Postern.Proxy.Admin;

namespace Postern.Tests.Proxy.Admin;

public class CertsPageTests
{
    [Fact]
    public async Task Certificate_IsDescribed()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = [TlsSecret.Resource("web", TlsSecret.Certificate("web.example"), "THE KEY")];
        var text = await host.GetAsync("/certs");
        Assert.DoesNotContain("THE KEY", text);
        var secret = (await host.GetJsonAsync("/certs")).GetProperty("certificates")[0];
        Assert.Equal("web", secret.GetProperty("name").GetString());
        Assert.Empty(secret.GetProperty("ca_cert").EnumerateArray());
        var certificate = Assert.Single(secret.GetProperty("cert_chain").EnumerateArray());
        Assert.Equal("CN=web.example", certificate.GetProperty("subject").GetString());
        Assert.Equal("0abc", certificate.GetProperty("serial_number").GetString());
        Assert.Equal("29", certificate.GetProperty("days_until_expiration").GetString());
        Assert.Equal("2026-03-31T12:00:00.000Z", certificate.GetProperty("expiration_time").GetString());
        Assert.Equal("web.example", certificate.GetProperty("subject_alt_names")[0].GetProperty("dns").GetString());
    }

    [Fact]
    public async Task TrustedAuthorities_AreListedEach()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources = [TlsSecret.Validation("roots", TlsSecret.Certificate("a") + "\n" + TlsSecret.Certificate("b"))];
        var certificates = (await host.GetJsonAsync("/certs")).GetProperty("certificates")[0].GetProperty("ca_cert");
        Assert.Equal(["CN=a", "CN=b"], certificates.EnumerateArray().Select(c => c.GetProperty("subject").GetString()));
    }

    [Fact]
    public async Task SecretThatCannotBeRead_IsPassedOver()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Resources =
        [
            TlsSecret.Resource("rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ""),
            TlsSecret.Resource("waiting", TlsSecret.Certificate("w"), "") with { State = ResourceState.Warming },
            TlsSecret.Resource("good", TlsSecret.Certificate("g"), ""),
        ];
        var secrets = (await host.GetJsonAsync("/certs")).GetProperty("certificates").EnumerateArray().ToDictionary(s => s.GetProperty("name").GetString()!);
        Assert.Equal(["rubbish", "good"], secrets.Keys);
        Assert.Empty(secrets["rubbish"].GetProperty("cert_chain").EnumerateArray());
        Assert.Single(secrets["good"].GetProperty("cert_chain").EnumerateArray());
    }
}
