using System.Text;
using Postern.Proxy.Http1;

namespace Postern.Tests.Proxy.Http1;

public sealed class ForbiddenTrailersTests
{
    [Theory]
    [InlineData("Content-Length", true)]
    [InlineData("transfer-encoding", true)]
    [InlineData("HOST", true)]
    [InlineData("Authorization", true)]
    [InlineData("If-None-Match", true)]
    [InlineData("grpc-status", false)]
    [InlineData("authentication-info", false)] // RFC 9110 §11.6.3 lets it be a trailer
    [InlineData("digest", false)]
    [InlineData("", false)]
    [InlineData("content-length-of-a-very-long-name-indeed", false)]
    public void Name_IsJudgedInAnyCaseAndAsTextOrBytes(string name, bool forbidden)
    {
        Assert.Equal(forbidden, ForbiddenTrailers.Contains(name));
        Assert.Equal(forbidden, ForbiddenTrailers.Contains(Encoding.ASCII.GetBytes(name)));
    }
}
